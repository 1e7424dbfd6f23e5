// What holds in every world, which worlds are the same, and how a world is brought to rest.
#include "support/queue_model.hpp"
#include "support/queue_model_redis.hpp"

#include <algorithm>

namespace corbel::test::queue_model {

namespace {

bool is_grouped(const rules &r, std::uint8_t m) { return (r.grouped >> m & 1) != 0; }

int places_of(const world &w, std::uint8_t m) {
  int places = w.ready.count(m) + w.parked.count(m) + w.delayed.count(m) + w.dead.count(m) + w.done[m];
  for (std::uint8_t i = 0; i < w.flights; ++i) places += w.flight[i].message == m ? 1 : 0;
  for (const auto &c : w.consumers)
    places += c.phase == consumer::claim_ran && c.of[0].token == 0 && c.of[0].message == m ? 1 : 0;
  return places;
}

std::string fault_of_message(const world &w, const rules &r, std::uint8_t m) {
  const auto name = "message " + std::to_string(m);
  const int places = places_of(w, m);
  const bool put = (w.put >> m & 1) != 0;
  if (places != (put ? 1 : 0)) return name + " is in " + std::to_string(places) + " places";
  if ((w.accepted >> m & 1) != 0 && !put) return name + " was accepted and never put";
  if (w.told_done[m] > w.done[m]) return name + " was told done more often than it was";
  const bool over = w.done[m] != 0 || w.dead.has(m);
  if (!over && w.attempts[m] != w.failed[m]) return name + ": its attempts are not counted";
  if (!over && w.failed[m] >= r.max_attempts) return name + " was tried too often";
  return {};
}

std::string fault_of_group(const world &w, const rules &r) {
  int running = 0, waiting = 0;
  std::uint8_t token = 0;
  for (std::uint8_t i = 0; i < w.flights; ++i)
    if (is_grouped(r, w.flight[i].message)) ++running, token = w.flight[i].token;
  for (std::uint8_t i = 0; i < w.ready.n; ++i) waiting += is_grouped(r, w.ready.at[i]) ? 1 : 0;
  if (running > 1) return "two messages of one group run";
  if (w.group_token != token) return "the group is held by no message that runs";
  if (w.parked.n > 0 && running + waiting == 0) return "a parked message has nobody who wakes it";
  return {};
}

std::string fault_of_holders(const world &w) {
  for (const auto &c : w.consumers) {
    for (const auto &m : c.of) {
      if (c.phase != consumer::holding || m.token == 0 || m.uncertain != 0) continue;
      const auto *entry = w.find(m.token);
      if (entry ? entry->message != m.message : !w.lost.has(m.token)) return "a lease went from its holder unseen";
      if (entry && entry->claim != c.claim) return "a message went to another claim";
      for (const auto &other : w.consumers)
        for (const auto &theirs : other.of)
          if (&other != &c && other.phase == consumer::holding && theirs.token == m.token) return "two hold one token";
    }
  }
  return {};
}

/// Calls f with every place of the world that holds a token or 0.
template <class F>
void each_token(world &w, F f) {
  for (std::uint8_t i = 0; i < w.flights; ++i) f(w.flight[i].token);
  for (std::uint8_t i = 0; i < w.lost.n; ++i) f(w.lost.at[i]);
  for (auto &c : w.consumers) {
    for (auto &m : c.of) f(m.token);
    f(c.late_token);
  }
  f(w.group_token);
}
template <class F>
void each_claim(world &w, F f) {
  for (std::uint8_t i = 0; i < w.flights; ++i) f(w.flight[i].claim);
  for (auto &c : w.consumers) f(c.claim), f(c.late_claim);
}

/// Numbers become 1, 2 ... in their order; returns the greatest.
template <class Each>
std::uint8_t renumber(world &w, Each each) {
  bool used[256] = {};
  each(w, [&](std::uint8_t &n) { used[n] = true; });
  std::uint8_t to[256] = {}, last = 0;
  for (int n = 1; n < 256; ++n)
    if (used[n]) to[n] = ++last;
  each(w, [&](std::uint8_t &n) { n = to[n]; });
  return last;
}

}  // namespace

std::string fault_of(const world &w, const rules &r) {
  if (w.fault == tokens_do_not_grow) return "a token does not grow";
  if (w.fault == out_of_order) return "a message of a group was overtaken by a later one";
  for (std::uint8_t m = 0; m < r.messages; ++m)
    if (auto f = fault_of_message(w, r, m); !f.empty()) return f;
  if (auto f = fault_of_group(w, r); !f.empty()) return f;
  return fault_of_holders(w);
}

void forget(world &w) {
  for (auto &c : w.consumers) {
    if (c.phase != consumer::claim_ran && c.phase != consumer::in_doubt && !w.is_claimed(c.claim)) c.claim = 0;
    if (c.late_token != 0 && !w.find(c.late_token)) c.late_token = c.late_message = 0, c.late_kind = how::none;
  }
  for (std::uint8_t i = 0; i < w.lost.n;) {
    const auto token = w.lost.at[i];
    if (std::any_of(std::begin(w.consumers), std::end(w.consumers), [&](const consumer &c) {
          return std::any_of(std::begin(c.of), std::end(c.of), [&](const auto &m) { return m.token == token; });
        }))
      ++i;
    else
      w.lost.take(i);
  }
  for (std::uint8_t m = 0; m < most_messages; ++m) {
    if (w.done[m] == 0 && !w.dead.has(m)) continue;
    w.attempts[m] = w.failed[m] = 0;
    w.was_delayed &= static_cast<std::uint8_t>(~(1 << m));
    for (std::uint8_t i = 0; i < w.put_order.n; ++i)
      if (w.put_order.at[i] == m) w.put_order.take(i--);
  }
  w.lost.sort();
  w.dead.sort();
  w.delayed.sort();
}

void make_canonical(world &w) {
  forget(w);
  w.last_token = renumber(w, [](world &each, auto f) { each_token(each, f); });
  w.last_claim = renumber(w, [](world &each, auto f) { each_claim(each, f); });
}

bool fair_step(const world &w, const rules &r, step &next) {
  auto go = [&](act what, std::uint8_t who = 0, how kind = how::none) { return next = {what, who, kind}, true; };
  for (std::uint8_t i = 0; i < r.producers; ++i) {
    if (w.producers[i].phase == producer::put_ran) return go(act::put_answered, i);
    if (w.producers[i].next != 0) return go(act::put, i);
  }
  for (std::uint8_t i = 0; i < r.consumers; ++i) {
    const auto &c = w.consumers[i];
    if (c.phase == consumer::claim_ran) return go(act::claim_answered, i);
    if (c.phase == consumer::in_doubt) return go(act::recall, i);
    if (c.phase == consumer::settle_ran) return go(act::settle_answered, i);
    if (c.phase == consumer::holding && holds_certain(c) && !w.is_claimed(c.claim)) return go(act::renew, i);
    if (c.phase == consumer::holding) return go(act::settle, i, c.of[0].kind == how::none ? how::done : c.of[0].kind);
  }
  // Nobody holds anything now: what is in flight belongs to the dead.
  for (std::uint8_t i = 0; i < w.flights; ++i)
    if (w.flight[i].expired == 0) return go(act::lease_ends, i);
  if (w.flights > 0) return go(act::reap);
  if (w.delayed.n > 0) return go(act::promote);
  return w.ready.n > 0 && go(act::claim);
}

bool is_drained(const world &w) {
  int over = 0, put = 0;
  for (std::uint8_t m = 0; m < most_messages; ++m) {
    over += (w.done[m] != 0 || w.dead.has(m)) ? 1 : 0;
    put += w.put >> m & 1;
  }
  return over == put;
}

}  // namespace corbel::test::queue_model
