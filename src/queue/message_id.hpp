#pragma once
/// Ids of messages that were put without one. Thread: any.

#include <string>

namespace corbel::detail {

/// 32 random hexadecimal digits.
std::string make_message_id();

}  // namespace corbel::detail
