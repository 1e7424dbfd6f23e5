#pragma once
/// Reads what the schema describes out of the layers of a section, and keeps where each value came from.

#include "config/layers.hpp"
#include "config/schema.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace corbel::detail {

/// The state of reading one document for one component.
struct reading_state {
  const gateway_context &context;
  std::string component;
  gateway_settings &out;
  findings found;
  std::set<std::string, std::less<>> faulty;  ///< paths without slices whose value is not to be compared with others

  void from_document(const std::string &canonical, const json_value &v) {
    out.origins.insert_or_assign(canonical, setting_origin{context.source, v.path()});
  }
};

/// canonical: path of the section without slices.
template <class S, std::size_t N>
void read_fields(reading_state &state, const layers &l, const std::string &canonical, std::span<const field<S>, N> fields,
                 S &into) {
  for (auto &f : fields) {
    auto v = l.find(f.name);
    if (!v) continue;
    const auto path = canonical + "." + f.name;
    const bool read = std::visit([&](auto at) { return read_value(*v, f.allowed, into.*at, state.found); }, f.at);
    if (read)
      state.from_document(path, *v);
    else
      state.faulty.insert(path);
  }
}

/// Warns of members that are none of the known ones. also: known too, but not read here.
inline void check_keys(reading_state &state, const layers &l, std::vector<std::string_view> known, bool may_slice,
                       const std::vector<std::string_view> &also = {}) {
  if (may_slice) known.insert(known.end(), slice_names.begin(), slice_names.end());
  for (auto &[name, value] : l.members()) {
    auto is = [name = name](std::string_view k) { return k == name; };
    if (std::none_of(known.begin(), known.end(), is) && std::none_of(also.begin(), also.end(), is))
      state.found.unknown(value, name, known);
  }
}

}  // namespace corbel::detail
