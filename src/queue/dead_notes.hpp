#pragma once
/// Owns: the reading of what a dead list keeps beside a message: "<attempts> LF <reason> LF <history, one JSON object a
/// line>". Pure. Callers: the protocols. Thread: any.

#include <corbel/queue_inspector.hpp>

#include <string_view>

namespace corbel::detail {

/// Sets attempts, reason and history.
void read_dead_notes(std::string_view notes, dead_message &m);

}  // namespace corbel::detail
