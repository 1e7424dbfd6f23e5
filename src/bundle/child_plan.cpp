#include "bundle/child_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

namespace {

using std::chrono::milliseconds;

std::int64_t ms(child_plan::clock::duration d) { return std::chrono::ceil<milliseconds>(d).count(); }

error timed_out(std::string text, const char *native) {
  return error(status::timeout, std::move(text), "bundle", native, error::retriable | error::maybe_applied);
}

}  // namespace

// ---- inputs ----

child_plan::actions child_plan::current(number v, limits l, time_point now) {
  actions out;
  wanted_ = v;
  coming_ = false;
  versions_[v] = {.limit = l};
  settle(now, out);
  return out;
}

child_plan::actions child_plan::unusable(number v, error why, time_point now) {
  actions out;
  wanted_ = v;
  coming_ = false;
  versions_[v] = {.limit = {}, .broken = std::move(why), .usable = false};
  settle(now, out);
  return out;
}

child_plan::actions child_plan::add(number id, time_point deadline, time_point now) {
  actions out;
  if (closed_) {
    out.push_back({.what = action::kind::fail, .request = id, .why = closed_});
    return out;
  }
  if (waiting_.size() >= most_waiting_) {
    out.push_back({.what = action::kind::fail,
                   .request = id,
                   .why = error(status::busy, fmt::format("{} requests wait for this bundle already", waiting_.size()),
                                "bundle", "WAITING", error::retriable)});
    return out;
  }
  requests_[id] = {deadline};
  waiting_.push_back(id);
  settle(now, out);
  return out;
}

child_plan::actions child_plan::drop(number id, time_point now) {
  actions out;
  const auto it = requests_.find(id);
  if (it == requests_.end()) return out;
  const auto at = it->second.child;
  requests_.erase(it);
  if (at == 0) {
    std::erase(waiting_, id);
    return out;
  }
  // It keeps its place until the child has answered: what it does cannot be taken back.
  auto &c = children_.at(at);
  c.in_hand[id] = false;
  if (!c.owed) c.owed = now + versions_.at(c.version).limit.stop;
  out.push_back({.what = action::kind::cancel, .child = at, .request = id});
  return out;
}

child_plan::actions child_plan::ready(number id, time_point now) {
  actions out;
  const auto it = children_.find(id);
  if (it == children_.end() || it->second.is != state::starting) return out;
  auto &c = it->second;
  c.is = state::ready;
  c.was_ready = true;
  versions_.at(c.version).broken = {};
  serving_ = std::max(serving_, c.version);
  settle(now, out);
  return out;
}

bool child_plan::answered(number id, number request_id, time_point now, actions &out) {
  const auto it = children_.find(id);
  if (it == children_.end()) return false;
  auto &c = it->second;
  if (c.in_hand.erase(request_id) == 0) return false;
  requests_.erase(request_id);
  if (std::ranges::all_of(c.in_hand, [](const auto &r) { return r.second; })) c.owed.reset();
  settle(now, out);
  return true;
}

child_plan::actions child_plan::ended(number id, const error &why, time_point now) {
  actions out;
  const auto it = children_.find(id);
  if (it == children_.end()) return out;
  const auto c = std::move(it->second);
  children_.erase(it);
  for (const auto &[request_id, is_wanted] : c.in_hand)
    if (is_wanted) fail(request_id, why, out);
  auto &v = versions_.at(c.version);
  // One that was told to stop has done no wrong.
  const bool was_told = c.is == state::retiring || c.is == state::stopping;
  if (!c.was_ready && !was_told) v.broken = why;
  if (!was_told) v.not_before = now + v.restart.died(now);
  settle(now, out);
  return out;
}

child_plan::actions child_plan::tick(time_point now) {
  actions out;
  for (auto it = requests_.begin(); it != requests_.end();) {
    const auto next = std::next(it);
    if (it->second.deadline <= now) expire(it->first, it->second, now, out);
    it = next;
  }
  for (auto &[id, c] : children_) {
    const auto &l = versions_.at(c.version).limit;
    if (c.is == state::starting && c.until <= now)
      kill(id, c, timed_out(fmt::format("the handler did not say that it is ready within {} ms", l.start.count()), "START"),
           out);
    else if (c.is == state::stopping && c.until <= now)
      kill(id, c, timed_out(fmt::format("the handler did not stop within {} ms", l.stop.count()), "STOP"), out);
    else if (c.owed && *c.owed <= now && c.is != state::killed)
      kill(id, c,
           timed_out(fmt::format("the handler was ended: it did not end a request that was cancelled within {} ms",
                                 l.stop.count()),
                     "CANCEL"),
           out);
  }
  settle(now, out);
  return out;
}

std::optional<child_plan::time_point> child_plan::next_tick(time_point now) const {
  std::optional<time_point> first;
  const auto by = [&first](time_point t) { first = first ? std::min(*first, t) : t; };
  for (const auto &[id, r] : requests_)
    if (r.deadline != time_point::max()) by(r.deadline);
  for (const auto &[id, c] : children_) {
    if (c.is == state::starting || c.is == state::stopping) by(c.until);
    if (c.owed && c.is != state::killed) by(*c.owed);
  }
  if (closed_) return first;
  for (auto v : {wanted_, serving_}) {
    const auto it = versions_.find(v);
    // Only where a start waits for its time.
    if (it == versions_.end() || !it->second.usable || it->second.not_before <= now) continue;
    const bool is_missing = v == wanted_ && v != serving_ && serves();
    if (is_missing || !waiting_.empty()) by(it->second.not_before);
  }
  return first;
}

child_plan::actions child_plan::close(const error &why, time_point now) {
  actions out;
  closed_ = why;
  for (auto id : std::deque(waiting_)) fail(id, why, out);
  waiting_.clear();
  settle(now, out);
  return out;
}

// ---- what follows ----

void child_plan::settle(time_point now, actions &out) {
  hand_out(now, out);
  retire(now, out);
  if (closed_) return;
  start_needed(now, out);
  if (waiting_.empty() || coming_ || serves() || may_come()) return;
  if (const auto why = reason(now))
    for (auto id : std::exchange(waiting_, {})) fail(id, why, out);
}

void child_plan::hand_out(time_point now, actions &out) {
  while (!waiting_.empty()) {
    child *best = nullptr;
    number best_id = 0;
    for (auto &[id, c] : children_) {
      if (c.version != serving_ || c.is != state::ready) continue;
      if (c.in_hand.size() >= versions_.at(c.version).limit.concurrency) continue;
      if (best && best->in_hand.size() <= c.in_hand.size()) continue;
      best = &c;
      best_id = id;
    }
    if (!best) return;
    const auto id = waiting_.front();
    waiting_.pop_front();
    auto &r = requests_.at(id);
    r.child = best_id;
    r.deadline = std::min(r.deadline, now + versions_.at(best->version).limit.turn);
    best->in_hand[id] = true;
    out.push_back({.what = action::kind::send, .child = best_id, .request = id});
  }
}

void child_plan::retire(time_point now, actions &out) {
  for (auto &[id, c] : children_) {
    const bool is_old = closed_ || c.version < serving_ || (c.version != serving_ && c.version != wanted_);
    if (!is_old) continue;
    if (c.is == state::starting) stop(id, c, now, out);
    if (c.is == state::ready) c.is = state::retiring;
    if (c.is == state::retiring && c.in_hand.empty()) stop(id, c, now, out);
  }
  std::erase_if(versions_, [this](const auto &v) {
    return v.first != wanted_ && v.first != serving_ &&
           std::ranges::none_of(children_, [&v](const auto &c) { return c.second.version == v.first; });
  });
}

void child_plan::start_needed(time_point now, actions &out) {
  const auto try_start = [&](number v, std::size_t needed) {
    const auto it = versions_.find(v);
    if (it == versions_.end() || !it->second.usable || it->second.not_before > now) return;
    // Those that are being killed count until they have ended, which says when the next start is due.
    const auto own = static_cast<std::size_t>(std::ranges::count_if(children_, [v](const auto &c) {
      return c.second.version == v && c.second.is != state::retiring && c.second.is != state::stopping;
    }));
    if (own < it->second.limit.processes && room(v) < needed) start(v, now, out);
  };
  // The next version is started for itself, so that it takes over once it is ready.
  const bool takes_over = wanted_ != serving_ && serves();
  try_start(wanted_, takes_over ? 1 : waiting_.size());
  // While that may still come, an old one is not started again.
  if (wanted_ != serving_ && (takes_over || broken())) try_start(serving_, waiting_.size());
}

void child_plan::start(number v, time_point now, actions &out) {
  auto &is = versions_.at(v);
  const auto id = next_child_++;
  children_[id] = {.version = v, .until = now + is.limit.start, .in_hand = {}};
  is.restart.started(now);
  out.push_back({.what = action::kind::start, .child = id, .version = v});
}

void child_plan::stop(number id, child &c, time_point now, actions &out) {
  c.is = state::stopping;
  c.until = now + versions_.at(c.version).limit.stop;
  out.push_back({.what = action::kind::stop, .child = id});
}

void child_plan::kill(number id, child &c, error why, actions &out) {
  c.is = state::killed;
  c.owed.reset();
  out.push_back({.what = action::kind::kill, .child = id, .why = std::move(why)});
}

void child_plan::expire(number id, request &r, time_point now, actions &out) {
  const bool waited = r.child == 0;
  auto more = drop(id, now);
  out.push_back({.what = action::kind::fail,
                 .request = id,
                 .why = waited ? error(status::timeout, "the request's time was over before a handler had room for it",
                                       "bundle", "WAITED", error::retriable)
                               : timed_out("the handler did not answer in time", "TURN")});
  out.insert(out.end(), more.begin(), more.end());
}

void child_plan::fail(number id, const error &why, actions &out) {
  requests_.erase(id);
  out.push_back({.what = action::kind::fail, .request = id, .why = why});
}

// ---- questions ----

bool child_plan::serves() const {
  return std::ranges::any_of(children_,
                             [this](const auto &c) { return c.second.version == serving_ && c.second.is == state::ready; });
}

bool child_plan::may_come() const {
  return std::ranges::any_of(children_, [](const auto &c) { return c.second.is == state::starting; });
}

std::size_t child_plan::room(number v) const {
  const auto it = versions_.find(v);
  if (it == versions_.end()) return 0;
  std::size_t out = 0;
  for (const auto &[id, c] : children_)
    if (c.version == v && c.is <= state::ready)
      out += it->second.limit.concurrency - std::min<std::size_t>(it->second.limit.concurrency, c.in_hand.size());
  return out;
}

error child_plan::broken() const {
  const auto it = versions_.find(wanted_);
  return it == versions_.end() ? error() : it->second.broken;
}

error child_plan::reason(time_point now) const {
  const auto it = versions_.find(wanted_);
  if (it == versions_.end() || !it->second.broken) return {};
  const auto &v = it->second;
  if (!v.usable) return v.broken;
  return error(status::unavailable,
               fmt::format("the handler does not start: {}; the next try is in {} ms", v.broken.message(),
                           ms(std::max(v.not_before - now, clock::duration(0)))),
               "bundle", "START", error::retriable);
}

}  // namespace corbel::detail
