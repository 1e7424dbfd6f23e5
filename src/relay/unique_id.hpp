#pragma once
/// Ids that nobody else makes. Any thread.

#include <string>

namespace corbel {

/// A random UUID (version 4): "3f2b8c1e-...". From the operating system's random numbers.
std::string unique_id();

}  // namespace corbel
