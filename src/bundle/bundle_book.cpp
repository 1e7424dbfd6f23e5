#include "bundle/bundle_book.hpp"

#include <fmt/format.h>

namespace corbel::detail {

namespace {

bundle_book::pinned make_pin(std::string_view id, const std::string &subdir, std::shared_ptr<commit_hold> hold) {
  auto p = std::make_shared<pinned_bundle>();
  p->id = id;
  p->commit = hold->commit;
  p->folder = hold->folder;
  p->path = subdir.empty() ? p->folder : p->folder + "/" + subdir;
  p->hold = std::move(hold);
  return p;
}

}  // namespace

bool bundle_book::configure(const bundle_source &source) {
  std::lock_guard lock(mutex_);
  auto [it, is_new] = entries_.try_emplace(source.id);
  auto &e = it->second;
  const bool changed = is_new || e.source != source;
  e.source = source;
  e.status.id = source.id;
  e.status.url = source.url;
  e.status.ref = source.ref;
  e.status.subdir = source.subdir;
  e.status.required = source.required;
  if (changed) e.status.failures = 0;
  return changed;
}

std::optional<bundle_source> bundle_book::source(std::string_view id) const {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(id);
  return it != entries_.end() ? std::optional(it->second.source) : std::nullopt;
}

void bundle_book::forget(std::string_view id) {
  pinned last;  // its lock ends outside of ours
  std::lock_guard lock(mutex_);
  auto it = entries_.find(id);
  if (it == entries_.end()) return;
  last = std::move(it->second.current);
  entries_.erase(it);
}

result<bundle_book::pinned> bundle_book::pin(std::string_view id) const {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(id);
  if (it == entries_.end())
    return error(status::invalid, fmt::format("there is no bundle '{}': load it first", id), "bundle", "UNKNOWN");
  if (it->second.current) return it->second.current;
  const auto &why = it->second.status.why;
  return error(status::unavailable, fmt::format("bundle '{}' has no commit yet{}{}", id, why ? ": " : "", why.message()),
               "bundle", "ABSENT", error::retriable);
}

bool bundle_book::has(std::string_view id) const {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(id);
  return it != entries_.end() && it->second.current;
}

void bundle_book::adopt(std::string_view id, const std::string &subdir, std::shared_ptr<commit_hold> hold) {
  auto p = make_pin(id, subdir, std::move(hold));
  std::lock_guard lock(mutex_);
  auto it = entries_.find(id);
  if (it == entries_.end() || it->second.current) return;
  auto &e = it->second;
  e.status.commit = p->commit;
  e.status.path = p->path;
  e.status.since = std::chrono::system_clock::now();
  if (e.status.state != bundle_state::absent) e.status.state = bundle_state::ready;
  e.current = std::move(p);
}

std::string bundle_book::succeeded(std::string_view id, const std::string &subdir, const std::shared_ptr<commit_hold> &hold,
                                   std::uint64_t files, std::uint64_t bytes) {
  auto p = make_pin(id, subdir, hold);
  pinned last;
  std::lock_guard lock(mutex_);
  auto it = entries_.find(id);
  if (it == entries_.end()) return hold->commit;
  auto &e = it->second;
  auto before = e.status.commit;
  const bool same = e.current && e.current->path == p->path;
  e.status.checked = std::chrono::system_clock::now();
  if (!same || e.status.since == std::chrono::system_clock::time_point()) e.status.since = e.status.checked;
  e.status.commit = p->commit;
  e.status.path = p->path;
  e.status.state = bundle_state::ready;
  e.status.why = {};
  e.status.failures = 0;
  e.status.files = files;
  e.status.bytes = bytes;
  e.status.progress = {};
  if (same) return p->commit;
  last = std::exchange(e.current, std::move(p));
  return before;
}

void bundle_book::failed(std::string_view id, const error &why) {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(id);
  if (it == entries_.end()) return;
  auto &s = it->second.status;
  s.why = why;
  s.state = it->second.current ? bundle_state::stale : bundle_state::absent;
  ++s.failures;
  s.progress = {};
}

void bundle_book::progress(std::string_view id, const bundle_progress &p) {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(id);
  if (it != entries_.end()) it->second.status.progress = p;
}

std::vector<bundle_status> bundle_book::status() const {
  std::vector<bundle_status> out;
  std::lock_guard lock(mutex_);
  for (const auto &[id, e] : entries_) out.push_back(e.status);
  return out;
}

}  // namespace corbel::detail
