#include "queue/native/settled_places.hpp"

#include <algorithm>

namespace corbel::detail {

std::string settled_places::text() const {
  std::string out;
  for (std::size_t i = 0; i < entries.size();) {
    auto last = i;
    while (last + 1 < entries.size() && entries[last + 1].first == entries[last].first + 1) ++last;
    if (!out.empty()) out += ',';
    out.append(std::to_string(entries[i].first)).append(1, '-').append(std::to_string(entries[last].first));
    i = last + 1;
  }
  return out;
}

std::vector<settled_places> places_by_claim(const std::vector<settle_entry> &entries) {
  std::vector<settled_places> all;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto &m = *entries[i].message;
    // Messages of one claim mostly share its name, and stand together.
    const auto &name = m.source->name;
    auto at = std::find_if(all.rbegin(), all.rend(), [&](const settled_places &p) { return p.name.data() == name.data(); });
    if (at == all.rend()) {
      all.push_back({name, {}});
      at = all.rbegin();
    }
    at->entries.emplace_back(m.place, i);
  }
  for (auto &claim : all)
    if (!std::is_sorted(claim.entries.begin(), claim.entries.end())) std::sort(claim.entries.begin(), claim.entries.end());
  return all;
}

}  // namespace corbel::detail
