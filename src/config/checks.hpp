#pragma once
/// Values against each other: what must hold between them is a fault, what is only unwise a warning.

#include "config/field_reader.hpp"

namespace corbel::detail {

/// warn: whether warnings are wanted too.
void check_settings(reading_state &state, bool warn);

}  // namespace corbel::detail
