#include "support/queue_model.hpp"

#include "support/queue_model_redis.hpp"

#include <algorithm>

namespace corbel::test::queue_model {

namespace {

constexpr how ways[] = {how::done, how::retry_now, how::retry_later, how::bury, how::hand_back};

std::uint8_t after(const rules &r, std::uint8_t next) {
  return static_cast<std::uint8_t>(next + r.producers <= r.messages ? next + r.producers : 0);
}

/// The consumer has nothing and wants the next; requests of its past stay under way.
void rest(consumer &c) {
  const auto past = c;
  c = {};
  c.late_claim = past.late_claim;
  c.late_recalled = past.late_recalled;
  c.late_token = past.late_token;
  c.late_message = past.late_message;
  c.late_kind = past.late_kind;
}

void claim(world &w, consumer &c, const rules &r) {
  c.claim = ++w.last_claim;
  if (r.wrong == mutation::claim_in_two_steps) {
    if (w.ready.n == 0) return;
    c.of[0].message = w.ready.pop_right();
    c.phase = consumer::claim_ran;
    return;
  }
  abstract_redis(w, r).claim(c.claim);
  std::uint8_t n = 0;
  for (std::uint8_t i = 0; i < w.flights; ++i)
    if (w.flight[i].claim == c.claim) c.of[n++] = {w.flight[i].message, w.flight[i].token, how::none, 0};
  if (n == 0) return rest(c);
  c.phase = consumer::claim_ran;
}

/// That message is over for the consumer.
void over(consumer &c, std::uint8_t which) {
  std::copy(c.of + which + 1, c.of + most_held, c.of + which);
  c.of[most_held - 1] = {};
  c.settling = 0;
  c.reply = 0;
  c.phase = consumer::holding;
  if (c.of[0].token == 0) rest(c);
}

void claim_answered(world &w, consumer &c, const rules &r) {
  if (r.wrong == mutation::claim_in_two_steps) {
    c.of[0].token = ++w.last_token;
    abstract_redis(w, r).lease(c.of[0].message, c.of[0].token, c.claim);
  }
  c.phase = consumer::holding;
}

void settle_answered(world &w, consumer &c, const rules &r) {
  const auto &m = c.of[c.settling];
  const bool ours = c.reply == 1 || (c.reply == -1 && m.uncertain != 0) || r.wrong == mutation::answer_lost_is_done;
  if (ours && m.kind == how::done) ++w.told_done[m.message];
  over(c, c.settling);
}

void step_of_producer(world &w, producer &p, act what, const rules &r) {
  const auto message = static_cast<std::uint8_t>(p.next - 1);
  switch (what) {
    case act::put:
      abstract_redis(w, r).put(message);
      p.phase = producer::put_ran;
      break;
    case act::put_answered:
      w.accepted |= static_cast<std::uint8_t>(1 << message);
      p.phase = producer::idle;
      p.next = after(r, p.next);
      break;
    case act::put_lost:
      p.phase = producer::idle;
      --w.losses;
      break;
    case act::put_late:
      p.late = p.next;
      --w.losses;
      break;
    case act::put_arrives:
      abstract_redis(w, r).put(static_cast<std::uint8_t>(p.late - 1));
      p.late = 0;
      break;
    default:  // it dies; the one that is started in its place does not know what this one put
      p.phase = producer::idle;
      p.next = after(r, p.next);
      --w.deaths;
  }
}

void step_of_consumer(world &w, consumer &c, step s, const rules &r) {
  abstract_redis redis(w, r);
  switch (s.what) {
    case act::claim:
      return claim(w, c, r);
    case act::claim_answered:
      return claim_answered(w, c, r);
    case act::claim_lost:
      c.phase = consumer::in_doubt;
      --w.losses;
      return;
    case act::claim_late:
      c.phase = consumer::in_doubt;
      c.claim = c.late_claim = ++w.last_claim;
      --w.losses;
      return;
    case act::claim_arrives:
      if (c.late_recalled == 0) redis.claim(c.late_claim);
      c.late_claim = c.late_recalled = 0;
      return;
    case act::recall:
      redis.recall(c.claim);
      if (c.claim == c.late_claim) c.late_recalled = 1;
      return rest(c);
    case act::settle:
      c.settling = s.which;
      c.of[s.which].kind = s.kind;
      c.reply = redis.settle(s.kind, c.of[s.which].token, c.of[s.which].message);
      c.phase = consumer::settle_ran;
      return;
    case act::settle_answered:
      return settle_answered(w, c, r);
    case act::settle_lost:
      c.phase = consumer::holding;
      c.of[c.settling].uncertain = 1;
      c.settling = 0;
      c.reply = 0;
      --w.losses;
      return;
    case act::settle_late:
      c.of[s.which].kind = c.late_kind = s.kind;
      c.late_token = c.of[s.which].token;
      c.late_message = c.of[s.which].message;
      c.of[s.which].uncertain = 1;
      --w.losses;
      return;
    case act::settle_arrives:
      redis.settle(c.late_kind, c.late_token, c.late_message);
      c.late_token = c.late_message = 0;
      c.late_kind = how::none;
      return;
    case act::renew:
      // What was lost is over, but for a settlement whose answer still has to be known.
      if (!redis.renew(c.claim, c.of[0].token, c.of[0].message))
        for (std::uint8_t i = most_held; i-- > 0 && c.phase == consumer::holding;)
          if (c.of[i].token != 0 && c.of[i].uncertain == 0) over(c, i);
      return;
    default:  // it dies; the one that is started in its place holds nothing
      --w.deaths;
      return rest(c);
  }
}

}  // namespace

bool world::is_claimed(std::uint8_t claim) const {
  return std::any_of(flight, flight + flights, [&](const in_flight &f) { return f.claim == claim; });
}

bool holds_certain(const consumer &c) {
  return std::any_of(c.of, c.of + most_held, [](const consumer::held &m) { return m.token != 0 && m.uncertain == 0; });
}

bool is_first_of_claim(const world &w, std::uint8_t place) {
  return std::none_of(w.flight, w.flight + place, [&](const in_flight &f) { return f.claim == w.flight[place].claim; });
}

const in_flight *world::find(std::uint8_t token) const {
  for (std::uint8_t i = 0; i < flights; ++i)
    if (flight[i].token == token) return flight + i;
  return nullptr;
}

world first_world(const rules &r) {
  world w;
  std::memset(static_cast<void *>(&w), 0, sizeof w);
  for (std::uint8_t p = 0; p < r.producers && p < r.messages; ++p) w.producers[p].next = static_cast<std::uint8_t>(p + 1);
  w.deaths = r.deaths;
  w.losses = r.losses;
  return w;
}

std::vector<step> possible(const world &w, const rules &r) {
  std::vector<step> all;
  for (std::uint8_t i = 0; i < r.producers; ++i) {
    const auto &p = w.producers[i];
    const bool idle = p.phase == producer::idle;
    if (idle && p.next != 0) all.push_back({act::put, i});
    if (!idle) all.push_back({act::put_answered, i});
    if (!idle && w.losses > 0) all.push_back({act::put_lost, i});
    if (idle && p.next != 0 && p.late == 0 && w.losses > 0) all.push_back({act::put_late, i});
    if (p.late != 0) all.push_back({act::put_arrives, i});
    if (w.deaths > 0 && p.next != 0 && (!idle || p.late == p.next)) all.push_back({act::producer_dies, i});
  }
  for (std::uint8_t i = 0; i < r.consumers; ++i) {
    const auto &c = w.consumers[i];
    if (c.phase == consumer::idle) {
      if (w.ready.n > 0) all.push_back({act::claim, i});
      if (c.late_claim == 0 && w.losses > 0) all.push_back({act::claim_late, i});
    } else if (c.phase == consumer::claim_ran) {
      all.push_back({act::claim_answered, i});
      if (w.losses > 0) all.push_back({act::claim_lost, i});
    } else if (c.phase == consumer::in_doubt) {
      all.push_back({act::recall, i});
    } else if (c.phase == consumer::holding) {
      for (std::uint8_t k = 0; k < most_held && c.of[k].token != 0; ++k) {
        for (auto kind : ways) {
          if ((r.ways >> static_cast<int>(kind) & 1) == 0 || (c.of[k].kind != how::none && c.of[k].kind != kind)) continue;
          all.push_back({act::settle, i, kind, k});
          if (c.late_token == 0 && w.losses > 0) all.push_back({act::settle_late, i, kind, k});
        }
      }
      if (holds_certain(c)) all.push_back({act::renew, i});
    } else {
      all.push_back({act::settle_answered, i});
      if (w.losses > 0) all.push_back({act::settle_lost, i});
    }
    if (c.late_claim != 0) all.push_back({act::claim_arrives, i});
    if (c.late_token != 0) all.push_back({act::settle_arrives, i});
    if (c.phase != consumer::idle && w.deaths > 0) all.push_back({act::consumer_dies, i});
  }
  bool ended = false;
  for (std::uint8_t i = 0; i < w.flights; ++i) {
    ended = ended || w.flight[i].expired != 0;
    if (w.flight[i].expired == 0 && is_first_of_claim(w, i)) all.push_back({act::lease_ends, i});
  }
  if (ended) all.push_back({act::reap});
  for (std::uint8_t i = 0; i < w.delayed.n; ++i) all.push_back({act::promote, i});
  return all;
}

void apply(world &w, step s, const rules &r) {
  if (s.what == act::lease_ends)
    abstract_redis(w, r).lease_ends(w.flight[s.who].claim);
  else if (s.what == act::reap)
    abstract_redis(w, r).reap();
  else if (s.what == act::promote)
    abstract_redis(w, r).promote(s.who);
  else if (s.what <= act::producer_dies)
    step_of_producer(w, w.producers[s.who], s.what, r);
  else
    step_of_consumer(w, w.consumers[s.who], s, r);
}

std::string text(step s) {
  static constexpr const char *names[] = {"put",
                                          "put answered",
                                          "put's answer lost",
                                          "put under way for long",
                                          "late put arrives",
                                          "producer dies",
                                          "claim",
                                          "claim answered",
                                          "claim's answer lost",
                                          "claim under way for long",
                                          "late claim arrives",
                                          "recall",
                                          "settle",
                                          "settle answered",
                                          "settle's answer lost",
                                          "settlement under way for long",
                                          "late settle arrives",
                                          "renew",
                                          "consumer dies",
                                          "lease ends",
                                          "reap",
                                          "promote"};
  static constexpr const char *kinds[] = {"", " done", " retry now", " retry later", " bury", " hand back"};
  return names[static_cast<int>(s.what)] + std::string(" ") + std::to_string(s.who) + kinds[static_cast<int>(s.kind)] +
         (s.which != 0 ? " its second" : "");
}

}  // namespace corbel::test::queue_model
