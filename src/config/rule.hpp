#pragma once
/// What is allowed for one value of the document.

#include "config/findings.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace corbel::detail {

struct rule {
  double least = 0;
  bool above = false;  ///< more than least, not least itself
  double most = 1e6;
  bool below = false;      ///< less than most, not most itself
  bool minus_one = false;  ///< -1 too, for unlimited
  bool null = false;       ///< null too, for not given

  constexpr rule or_null() const {
    auto r = *this;
    r.null = true;
    return r;
  }
  constexpr rule or_minus_one() const {
    auto r = *this;
    r.minus_one = true;
    return r;
  }
  constexpr rule up_to(double n) const {
    auto r = *this;
    r.most = n;
    return r;
  }
  bool admits(double n) const noexcept {
    if (minus_one && n == -1) return true;
    return (above ? n > least : n >= least) && (below ? n < most : n <= most);
  }
  /// noun: "an integer", "a number".
  std::string text(std::string_view noun) const;
};

constexpr rule at_least(double n) { return {.least = n}; }
constexpr rule more_than(double n) { return {.least = n, .above = true}; }
/// Between 0 and 1, without 0; `with_one`: 1 too.
constexpr rule ratio(bool with_one) { return {.least = 0, .above = true, .most = 1, .below = !with_one}; }

// Each reads into `out` and is true, or reports a fault. null where it is allowed: true, and out is emptied or kept.
bool read_value(const json_value &v, const rule &r, std::int64_t &out, findings &found);
bool read_value(const json_value &v, const rule &r, std::optional<std::int64_t> &out, findings &found);
bool read_value(const json_value &v, const rule &r, double &out, findings &found);
bool read_value(const json_value &v, const rule &r, bool &out, findings &found);
/// Text that is not empty.
bool read_value(const json_value &v, const rule &r, std::string &out, findings &found);

}  // namespace corbel::detail
