#pragma once
/// src/config owns the gateway document: what may stand in it, what is wrong with one, what follows from it. Callers:
/// src/gateway and the C API, through <corbel/config.hpp>. Threads: any; all of it is pure and works on the caller's thread.
/// The only folder that includes yaml-cpp. Where to look: schema (keys, defaults, bounds), layers (component slices), roles,
/// checks (values against each other), derived (formulas), profile (profiles and presets), yaml, show.
///
/// This file: what was found in one document, each fault and warning once; of a flood of them the first ones.

#include "json/value.hpp"

#include <corbel/config.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace corbel::detail {

class findings {
 public:
  findings(std::vector<gateway_fault> &faults, std::vector<gateway_warning> &warnings) noexcept
      : faults_(faults), warnings_(warnings) {}

  void fault(std::string path, std::string found, std::string allowed);
  void fault(const json_value &at, std::string allowed);
  void warn(std::string path, std::string what);
  /// "unknown key, ignored; the nearest known one is ...".
  void unknown(const json_value &at, std::string_view key, const std::vector<std::string_view> &known);

  bool any_fault() const noexcept { return !faults_.empty(); }

 private:
  static constexpr std::size_t most = 500;  // a document of this platform has fewer keys
  std::vector<gateway_fault> &faults_;
  std::vector<gateway_warning> &warnings_;
};

/// "\"8\" (text)", "8", "null", "an object": short, one line.
std::string found_text(const json_value &v);

/// The one of `known` with the fewest edits from `name`; letters' case does not count. known is not empty.
std::string_view nearest(std::string_view name, const std::vector<std::string_view> &known);

}  // namespace corbel::detail
