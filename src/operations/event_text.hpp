#pragma once
/// What an external event says in words. Pure; any thread.

#include "json/value.hpp"

#include <string_view>

namespace corbel {

/// payload.event as text, or its text, message or request; empty when it says nothing.
std::string_view event_text(const json_object &event);

}  // namespace corbel
