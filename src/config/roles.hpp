#pragma once
/// The two sections that hold an object for each role: rate_limits, and publish_limits of data_bus.

#include "config/field_reader.hpp"

namespace corbel::detail {

void read_rate_limits(reading_state &state, const std::optional<json_value> &section);
void read_publish_limits(reading_state &state, const std::optional<json_value> &section);

}  // namespace corbel::detail
