#include "postgres/statement_cache.hpp"

namespace corbel::detail {

bool statement_cache::entry::is(const pg_statement &s) const noexcept {
  if (types.size() != s.parameters() || sql != s.sql()) return false;
  for (std::size_t i = 0; i < types.size(); ++i)
    if (types[i] != s.at(i).type) return false;
  return true;
}

statement_cache::use statement_cache::next_use(const pg_statement &s) {
  use u;
  if (limit_ == 0 || s.has(pg_statement::no_prepare)) return u;
  auto [first, last] = by_hash_.equal_range(s.hash());
  for (auto i = first; i != last; ++i) {
    if (!i->second->is(s)) continue;
    if (!i->second->is_confirmed) return u;
    entries_.splice(entries_.begin(), entries_, i->second);
    u.number = i->second->number;
    u.name = i->second->name.c_str();
    return u;
  }
  if (entries_.size() >= limit_) {
    u.evicted = entries_.back().number;
    erase(std::prev(entries_.end()));
  }
  entry e{++last_number_, s.hash(), name_of(last_number_), std::string(s.sql()), {}, false};
  for (std::size_t i = 0; i < s.parameters(); ++i) e.types.push_back(s.at(i).type);
  entries_.push_front(std::move(e));
  by_hash_.emplace(s.hash(), entries_.begin());
  u.number = last_number_;
  u.name = entries_.front().name.c_str();
  u.must_prepare = true;
  return u;
}

void statement_cache::confirm(std::uint64_t number) {
  for (auto &e : entries_)  // the newest are first
    if (e.number == number) {
      e.is_confirmed = true;
      return;
    }
}

void statement_cache::forget(std::uint64_t number) {
  for (auto i = entries_.begin(); i != entries_.end(); ++i)
    if (i->number == number) return erase(i);
}

void statement_cache::erase(list::iterator i) {
  auto [first, last] = by_hash_.equal_range(i->hash);
  for (auto h = first; h != last; ++h) {
    if (h->second != i) continue;
    by_hash_.erase(h);
    break;
  }
  entries_.erase(i);
}

}  // namespace corbel::detail
