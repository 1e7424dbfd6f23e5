#include "relay/room.hpp"

#include "relay/unique_id.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace corbel::detail {

void relay_room::join(stream s) {
  auto begin = std::exchange(s.begin, {});
  bool now = based_ || !s.after.empty();
  auto last = s.after.empty() ? last_ : s.after;
  if (!now) s.begin = std::move(begin);
  streams_.push_back({.who = std::move(s)});
  if (now && begin) begin(last);
}

void relay_room::leave(std::uint64_t number) {
  std::erase_if(streams_, [&](const seat &s) { return s.who.number == number; });
}

void relay_room::baseline(const std::vector<relay_message> &recent) {
  for (auto &m : recent) {
    if (m.id.empty()) continue;
    seen_.add(m.id);
    last_ = m.id;
  }
  based_ = true;
  for (auto &s : streams_) {
    if (auto begin = std::exchange(s.who.begin, {})) begin(last_);
  }
}

template <class Wanted>
void relay_room::give(const relay_message &m, relay_counts &counts, Wanted wanted) {
  relay_frame frame;
  bool known = m.target_sid.empty();
  for (auto &s : streams_) {
    if (!m.target_sid.empty() && s.who.id != m.target_sid) continue;
    known = true;
    if (!wanted(s)) continue;
    if (!frame) frame = std::make_shared<const std::string>(sse_frame(m.id.empty() ? unique_id() : m.id, m.event, m.data));
    ++counts.delivered;
    s.who.give(frame);
  }
  if (!known) ++counts.unreachable;
}

void relay_room::deliver(const relay_message &m, relay_counts &counts) {
  if (!m.id.empty() && !seen_.add(m.id)) {
    ++counts.duplicates;
    return;
  }
  if (!m.id.empty()) last_ = m.id;
  give(m, counts, [](const seat &) { return true; });
}

void relay_room::accept(relay_message m, relay_counts &counts) {
  if (holds_ == 0) return deliver(m, counts);
  held_.push_back(std::move(m));
  if (held_.size() > held_limit) {
    auto first = std::move(held_.front());
    held_.pop_front();
    deliver(first, counts);
  }
}

void relay_room::end_hold(const std::vector<relay_message> &recent, relay_counts &counts) {
  for (auto &s : streams_) {
    if (s.who.after.empty()) continue;
    auto last = std::find_if(recent.begin(), recent.end(), [&](const relay_message &m) { return m.id == s.who.after; });
    // An unknown one fell out of the list: all that is left there may be news.
    s.catch_up_from = last == recent.end() ? 0 : static_cast<std::size_t>(last - recent.begin()) + 1;
    s.who.after.clear();
  }
  std::unordered_set<std::string_view> read;  // what was published twice stands in the list twice
  for (std::size_t i = 0; i < recent.size(); ++i) {
    auto &m = recent[i];
    if (m.id.empty() || !read.insert(m.id).second) continue;
    bool fresh = seen_.add(m.id);
    if (fresh) ++counts.recovered, last_ = m.id;
    give(m, counts, [&](const seat &s) { return s.catch_up_from ? i >= *s.catch_up_from : fresh; });
  }
  for (auto &s : streams_) s.catch_up_from.reset();
  if (holds_ > 0 && --holds_ > 0) return;
  for (; !held_.empty(); held_.pop_front()) deliver(held_.front(), counts);
}

}  // namespace corbel::detail
