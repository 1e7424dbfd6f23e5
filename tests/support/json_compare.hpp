#pragma once
/// JSON against JSON, for vectors: what is expected has to be there with that value; what is there besides does not matter.
/// Thread: any.

#include "json/value.hpp"

#include <string>

namespace corbel::test {

/// Where `actual` lacks or contradicts `expected`, one line for each; empty when it does not. Numbers are compared by value,
/// arrays element by element. A member `exactly` with true says that the object has no others than those named.
std::string json_difference(const json_value &expected, const json_value &actual);

/// The whole file; fails the test when it cannot be read.
std::string file_text(const std::string &path);

}  // namespace corbel::test
