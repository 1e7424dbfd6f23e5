#include "queue/claim_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

using corbel::detail::claim_plan;

TEST_CASE("nothing is claimed before somebody takes, and then as much as is waited for") {
  claim_plan plan(4, 0);
  CHECK(plan.next().claim == 0);
  plan.taker_came();
  plan.taker_came();
  auto a = plan.next();
  CHECK(a.claim == 2);
  CHECK(a.then == claim_plan::rest::none);
  plan.taker_came();
  CHECK(plan.next().claim == 0);  // one claim at a time
  plan.claim_answered(2, 7, false);
  a = plan.next();
  CHECK(a.deliver == 2);
  CHECK(a.claim == 1);
}

TEST_CASE("empty lists are left alone until a wake") {
  claim_plan plan(1, 0);
  plan.taker_came();
  CHECK(plan.next().claim == 1);
  plan.claim_answered(0, 0, false);
  auto a = plan.next();
  CHECK(a.claim == 0);
  CHECK(a.then == claim_plan::rest::till_woken);
  plan.woken();
  CHECK(plan.next().claim == 1);
  plan.woken();  // while the claim is under way: it may have come too early to see the new message
  plan.claim_answered(0, 0, false);
  CHECK(plan.next().claim == 1);
}

TEST_CASE("what is ready and may not be claimed is looked at again in a moment") {
  claim_plan plan(2, 0);
  plan.taker_came();
  plan.taker_came();
  CHECK(plan.next().claim == 2);
  plan.claim_answered(1, 5, true);  // it got something: more may follow
  CHECK(plan.next().claim == 1);
  plan.claim_answered(0, 5, true);
  auto a = plan.next();
  CHECK(a.claim == 0);
  CHECK(a.then == claim_plan::rest::a_moment);
  plan.rested();
  CHECK(plan.next().claim == 1);
  plan.claim_answered(0, 0, false);
  CHECK(plan.next().then == claim_plan::rest::till_woken);
}

TEST_CASE("prefetch claims ahead of takers, concurrency bounds what is out") {
  claim_plan plan(1, 2);
  CHECK(plan.next().claim == 2);
  plan.claim_answered(2, 5, false);
  CHECK(plan.next().claim == 0);
  plan.taker_came();
  plan.taker_came();
  auto a = plan.next();
  CHECK(a.deliver == 1);
  CHECK(a.claim == 1);
  CHECK(a.then == claim_plan::rest::none);
  plan.settled();
  CHECK(plan.next().deliver == 1);
}

TEST_CASE("a message whose taker left goes back") {
  claim_plan plan(2, 0);
  plan.taker_came();
  CHECK(plan.next().claim == 1);
  plan.taker_left();
  plan.claim_answered(1, 0, false);
  auto a = plan.next();
  CHECK(a.deliver == 0);
  CHECK(a.hand_back == 1);
  CHECK(plan.buffered() == 0);
}

TEST_CASE("a failed claim is tried again once at once, then after a while or a reconnect") {
  claim_plan plan(1, 0);
  plan.taker_came();
  CHECK(plan.next().claim == 1);
  plan.claim_failed(true);
  CHECK(plan.next().claim == 1);
  plan.claim_failed(true);
  auto a = plan.next();
  CHECK(a.claim == 0);
  CHECK(a.then == claim_plan::rest::a_while);
  plan.reconnected();
  CHECK(plan.next().claim == 1);
  plan.claim_failed(false);
  CHECK(plan.next().claim == 0);
  plan.rested();
  CHECK(plan.next().claim == 1);
}

TEST_CASE("stopped, everything that was not delivered goes back") {
  claim_plan plan(2, 3);
  CHECK(plan.next().claim == 3);
  plan.claim_answered(2, 9, false);
  CHECK(plan.next().claim == 1);
  plan.taker_came();
  plan.stop();
  CHECK(plan.next().hand_back == 0);  // together with what the claim brings
  plan.claim_answered(1, 9, false);
  auto a = plan.next();
  CHECK(a.deliver == 0);
  CHECK(a.hand_back == 3);
  CHECK(a.claim == 0);
  CHECK(a.then == claim_plan::rest::none);
}

namespace {

/// A server and consumers that know each other only by messages that take their time: claims and answers on one way,
/// wakes on another. It follows the scripts: a wake goes out when the ready list turns from empty to not empty.
struct model {
  struct consumer {
    consumer(std::uint32_t c, std::uint32_t p) : plan(c, p), concurrency(c), prefetch(p) {}
    claim_plan plan;
    std::uint32_t concurrency, prefetch;
    std::uint32_t takers = 0;  // that wait, by our own count
    std::uint32_t delivered = 0;
    std::uint32_t asked = 0;  // claim sent, not served yet
    bool answered = false;    // served, answer not arrived yet
    std::uint32_t got = 0;
    std::uint64_t left = 0;
    std::uint32_t held = 0;   // claimed, not delivered
    std::uint32_t wakes = 0;  // on their way
    claim_plan::rest then = claim_plan::rest::none;
    std::uint64_t claims = 0, reasons = 1;
  };
  std::vector<consumer> consumers;
  std::uint64_t ready = 0, put = 0, done = 0;

  void push(std::uint64_t n) {
    if (ready == 0 && n > 0)
      for (auto &c : consumers) ++c.wakes;
    ready += n;
  }
  void step(consumer &c) {
    auto a = c.plan.next();
    REQUIRE(a.deliver <= c.takers);
    REQUIRE(a.deliver + a.hand_back <= c.held);
    c.takers -= a.deliver;
    c.delivered += a.deliver;
    c.held -= a.deliver + a.hand_back;
    push(a.hand_back);
    REQUIRE((a.deliver == 0 || c.delivered <= c.concurrency));
    if (a.claim > 0) {
      REQUIRE(c.asked == 0);
      REQUIRE_FALSE(c.answered);
      REQUIRE(c.delivered + c.held + a.claim <= std::max(c.concurrency, c.delivered) + c.prefetch);
      REQUIRE_FALSE(c.plan.stopped());
      c.asked = a.claim;
      ++c.claims;
    }
    c.then = a.then;
    if (a.then != claim_plan::rest::none) REQUIRE((c.takers > 0 && c.asked == 0 && !c.answered));
    auto after = c.plan.next();  // nothing is asked for twice
    REQUIRE((after.deliver == 0 && after.hand_back == 0 && after.claim == 0));
  }
  void serve(consumer &c) {
    c.got = static_cast<std::uint32_t>(std::min<std::uint64_t>(c.asked, ready));
    ready -= c.got;
    c.left = ready;
    c.asked = 0;
    c.answered = true;
  }
  void answer(consumer &c) {
    c.answered = false;
    c.held += c.got;
    c.reasons += c.got > 0;
    c.plan.claim_answered(c.got, c.left, false);
  }
  /// Everything that is on its way arrives; no poll helps.
  void settle_down() {
    for (bool moved = true; moved;) {
      moved = false;
      for (auto &c : consumers) {
        if (c.asked > 0) serve(c), moved = true;
        if (c.answered) answer(c), moved = true;
        if (c.wakes > 0) --c.wakes, ++c.reasons, c.plan.woken(), moved = true;
        step(c);
      }
    }
  }
};

}  // namespace

TEST_CASE("random schedules: no wake is lost, no bound passed, no claim without a reason") {
  for (unsigned seed = 0; seed < 4000; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
    model m;
    for (std::uint32_t i = 0, n = 1 + below(3); i < n; ++i) m.consumers.emplace_back(1 + below(4), below(4));
    const bool outages = seed % 2 == 1;
    for (int tick = 0; tick < 150; ++tick) {
      auto &c = m.consumers[below(static_cast<std::uint32_t>(m.consumers.size()))];
      switch (below(outages ? 10 : 8)) {
        case 0: {
          auto n = 1 + below(3);
          m.put += n;
          m.push(n);
          break;
        }
        case 1:
          if (c.takers < 6) ++c.takers, ++c.reasons, c.plan.taker_came();
          break;
        case 2:
          if (c.takers > 0) --c.takers, c.plan.taker_left();
          break;
        case 3:
          if (c.delivered > 0) --c.delivered, ++m.done, ++c.reasons, c.plan.settled();
          break;
        case 4:
          if (c.asked > 0) m.serve(c);
          break;
        case 5:
          if (c.answered) m.answer(c);
          break;
        case 6:
          if (c.wakes > 0) --c.wakes, ++c.reasons, c.plan.woken();
          break;
        case 7:
          c.concurrency = 1 + below(5);
          ++c.reasons, c.plan.set_concurrency(c.concurrency);
          break;
        case 8:  // the connection is lost, with or without the claim having been served; what it took goes back
          for (auto &each : m.consumers) {
            each.wakes = 0;
            if (each.answered) m.push(each.got);
            if (each.asked > 0 || each.answered) ++each.reasons, each.plan.claim_failed(below(2) == 0);
            each.asked = 0;
            each.answered = false;
          }
          for (auto &each : m.consumers) {
            each.wakes = 0;
            ++each.reasons;
            each.plan.reconnected();
            m.step(each);
          }
          break;
        default:
          if (c.then != claim_plan::rest::none) ++c.reasons, c.plan.rested();
          break;
      }
      m.step(c);
    }
    m.settle_down();
    std::uint64_t out = 0;
    for (auto &c : m.consumers) {
      out += c.delivered + c.held;
      const bool wants = (c.takers > 0 && c.delivered < c.concurrency) || c.held < c.prefetch;
      REQUIRE((!wants || m.ready == 0));
      REQUIRE(c.claims <= c.reasons + m.put);
    }
    REQUIRE(m.ready + out + m.done == m.put);

    for (auto &c : m.consumers) c.plan.stop();
    m.settle_down();
    for (auto &c : m.consumers) REQUIRE((c.held == 0 && c.plan.buffered() == 0 && c.plan.out() == c.delivered));
  }
}
