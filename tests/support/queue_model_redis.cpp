#include "support/queue_model_redis.hpp"

#include <algorithm>

namespace corbel::test::queue_model {

void row::push_left(std::uint8_t v) {
  std::copy_backward(at, at + n, at + n + 1);
  at[0] = v;
  ++n;
}
void row::push_right(std::uint8_t v) { at[n++] = v; }
std::uint8_t row::take(std::uint8_t i) {
  const auto v = at[i];
  std::copy(at + i + 1, at + n, at + i);
  at[--n] = 0;
  return v;
}
std::uint8_t row::count(std::uint8_t v) const { return static_cast<std::uint8_t>(std::count(at, at + n, v)); }
void row::sort() { std::sort(at, at + n); }

void abstract_redis::put(std::uint8_t message) {
  const auto bit = static_cast<std::uint8_t>(1 << message);
  if ((w_.put & bit) != 0 && r_.wrong != mutation::put_without_key) return;
  if ((w_.put & bit) == 0 && grouped(message)) w_.put_order.push_right(message);
  w_.put |= bit;
  w_.ready.push_left(message);
}

std::uint8_t abstract_redis::new_token() {
  const auto before = w_.last_token;
  if (r_.wrong == mutation::tokens_again) {
    std::uint8_t token = 1;
    while (w_.find(token)) ++token;
    w_.last_token = std::max(token, before);
    if (token <= before) w_.fault = tokens_do_not_grow;
    return token;
  }
  return ++w_.last_token;
}

/// Of one group the one that was put first is claimed first, unless it was delayed.
void abstract_redis::check_order(std::uint8_t message) {
  if ((w_.was_delayed >> message & 1) != 0) return;
  for (std::uint8_t i = 0; i < w_.put_order.n && w_.put_order.at[i] != message; ++i) {
    const auto earlier = w_.put_order.at[i];
    if ((w_.was_delayed >> earlier & 1) == 0 && (w_.ready.has(earlier) || w_.parked.has(earlier))) w_.fault = out_of_order;
  }
}

void abstract_redis::claim(std::uint8_t claim) {
  for (std::uint8_t n = 0; n < r_.most && w_.ready.n > 0;) {
    const auto message = w_.ready.pop_right();
    if (grouped(message) && w_.group_token != 0 && r_.wrong != mutation::claim_of_busy_group) {
      w_.parked.push_right(message);
      continue;
    }
    if (grouped(message)) check_order(message);
    lease(message, new_token(), claim);
    ++n;
  }
}

void abstract_redis::lease(std::uint8_t message, std::uint8_t token, std::uint8_t claim) {
  w_.flight[w_.flights++] = {message, token, claim, 0};
  if (grouped(message)) w_.group_token = token;
}

in_flight abstract_redis::forget(std::uint8_t place, bool over) {
  const auto entry = w_.flight[place];
  std::copy(w_.flight + place + 1, w_.flight + w_.flights, w_.flight + place);
  w_.flight[--w_.flights] = {};
  if (!grouped(entry.message) || w_.group_token != entry.token || r_.wrong == mutation::group_not_freed) return entry;
  w_.group_token = 0;
  if ((over || r_.wrong == mutation::return_wakes_next) && w_.parked.n > 0) w_.ready.push_right(w_.parked.pop_left());
  return entry;
}

void abstract_redis::recall(std::uint8_t claim) {
  for (int i = w_.flights - 1; i >= 0; --i) {
    if (w_.flight[i].claim == claim || r_.wrong == mutation::recall_of_all)
      w_.ready.push_right(forget(static_cast<std::uint8_t>(i), false).message);
  }
}

std::int8_t abstract_redis::settle(how kind, std::uint8_t token, std::uint8_t message) {
  std::uint8_t i = 0;
  while (i < w_.flights && w_.flight[i].token != token) ++i;
  if (i == w_.flights && r_.wrong == mutation::ack_by_name && kind == how::done) {
    for (i = 0; i < w_.flights && w_.flight[i].message != message;) ++i;
  }
  if (i == w_.flights) return w_.lost.has(token) ? 0 : -1;
  const bool counted = kind == how::retry_now || kind == how::retry_later;
  if (counted) ++w_.failed[message];
  const bool dies = kind == how::bury || (counted && w_.attempts[message] + 1 >= r_.max_attempts);
  const auto claim = w_.flight[i].claim;
  forget(i, dies || kind == how::done || kind == how::retry_later);
  if (counted && !dies) ++w_.attempts[message];
  if (kind == how::done)
    ++w_.done[message];
  else if (dies)
    w_.dead.push_right(message);
  else if (kind == how::retry_later)
    w_.delayed.push_right(message), w_.was_delayed |= static_cast<std::uint8_t>(1 << message);
  else
    w_.ready.push_right(message);
  for (i = 0; r_.wrong == mutation::settle_ends_claim && i < w_.flights;)
    w_.flight[i].claim == claim ? (void)forget(i, true) : (void)++i;
  return 1;
}

bool abstract_redis::renew(std::uint8_t claim, std::uint8_t token, std::uint8_t message) {
  if (!w_.is_claimed(claim) && r_.wrong == mutation::renew_takes_back) lease(message, token, claim);
  for (std::uint8_t i = 0; i < w_.flights; ++i)
    if (w_.flight[i].claim == claim) w_.flight[i].expired = 0;
  return w_.is_claimed(claim);
}

void abstract_redis::lease_ends(std::uint8_t claim) {
  for (std::uint8_t i = 0; i < w_.flights; ++i)
    if (w_.flight[i].claim == claim) w_.flight[i].expired = 1;
}

void abstract_redis::reap() {
  row back, told;
  for (std::uint8_t i = 0; i < w_.flights;) {
    if (w_.flight[i].expired == 0) {
      ++i;
      continue;
    }
    const auto message = w_.flight[i].message;
    const bool dies = w_.attempts[message] + 1 >= r_.max_attempts;
    if (r_.wrong != mutation::reap_tells_one || !told.has(w_.flight[i].claim)) w_.lost.push_right(w_.flight[i].token);
    told.push_right(w_.flight[i].claim);
    const auto entry = forget(i, dies);
    ++w_.failed[message];
    if (r_.wrong == mutation::reap_keeps_in_flight) w_.flight[w_.flights++] = {message, entry.token, entry.claim, 0};
    if (dies) {
      w_.dead.push_right(message);
      continue;
    }
    if (r_.wrong != mutation::reap_uncounted) ++w_.attempts[message];
    back.push_right(message);
  }
  while (back.n > 0) w_.ready.push_right(back.pop_right());
}

void abstract_redis::promote(std::uint8_t place) {
  const auto message = w_.delayed.take(place);
  if (grouped(message) && w_.parked.n > 0 && r_.wrong != mutation::promote_overtakes)
    w_.parked.push_right(message);
  else
    w_.ready.push_right(message);
}

}  // namespace corbel::test::queue_model
