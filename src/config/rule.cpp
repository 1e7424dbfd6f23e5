#include "config/rule.hpp"

#include <fmt/format.h>

namespace corbel::detail {

std::string rule::text(std::string_view noun) const {
  const auto low = above ? fmt::format("more than {}", least) : fmt::format("at least {}", least);
  const auto high = below ? fmt::format("less than {}", most) : fmt::format("at most {}", static_cast<std::int64_t>(most));
  return fmt::format("{} of {} and {}{}{}", noun, low, high, minus_one ? ", or -1 for unlimited" : "",
                     null ? ", or null" : "");
}

bool read_value(const json_value &v, const rule &r, std::int64_t &out, findings &found) {
  if (r.null && v.is_null()) return true;
  if (auto n = v.integer(); n && r.admits(static_cast<double>(*n))) {
    out = *n;
    return true;
  }
  found.fault(v, r.text("an integer"));
  return false;
}

bool read_value(const json_value &v, const rule &r, std::optional<std::int64_t> &out, findings &found) {
  std::int64_t n = 0;
  if (!read_value(v, r, n, found)) return false;
  out = v.is_null() ? std::nullopt : std::optional(n);
  return true;
}

bool read_value(const json_value &v, const rule &r, double &out, findings &found) {
  if (auto n = v.number(); n && r.admits(*n)) {
    out = *n;
    return true;
  }
  found.fault(v, r.text("a number"));
  return false;
}

bool read_value(const json_value &v, const rule &, bool &out, findings &found) {
  if (auto b = v.boolean()) {
    out = *b;
    return true;
  }
  found.fault(v, "true or false");
  return false;
}

bool read_value(const json_value &v, const rule &, std::string &out, findings &found) {
  if (auto t = v.text(); t && !t->empty()) {
    out = *t;
    return true;
  }
  found.fault(v, "text that is not empty");
  return false;
}

}  // namespace corbel::detail
