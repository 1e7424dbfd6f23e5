#pragma once
/// What Prometheus allows as names of metrics and of labels. Pure; any thread.

#include <algorithm>
#include <string_view>

namespace corbel::detail {

inline bool is_metric_name(std::string_view text, bool colon = true) {
  auto allowed = [colon](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (colon && c == ':');
  };
  return !text.empty() && (text[0] < '0' || text[0] > '9') && std::ranges::all_of(text, allowed);
}

/// "le" belongs to the buckets of histograms.
inline bool is_label_name(std::string_view text) {
  return is_metric_name(text, false) && !text.starts_with("__") && text != "le";
}

}  // namespace corbel::detail
