#pragma once
/// YAML as JSON text, scalars typed by YAML 1.2's core schema: `null`, `~` and nothing are null; true and false; 8, 0o10,
/// 0x8; 0.5, 1e3; all else, and all that is quoted, is text. yes, no, on and off are text.

#include <corbel/result.hpp>

#include <string>
#include <string_view>

namespace corbel::detail {

/// Errors are status::invalid: "YAML at line 3, column 5: ...", or what limit was passed: 1 MiB, 64 levels.
result<std::string> yaml_to_json(std::string_view yaml);

}  // namespace corbel::detail
