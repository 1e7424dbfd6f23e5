#include "postgres/share_plan.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace std::chrono_literals;
using corbel::detail::share_plan;

namespace {
const share_plan::time start{};
}

TEST_CASE("the connection with the fewest outstanding statements takes the next") {
  share_plan p;
  CHECK(p.pick() == share_plan::none);
  const auto a = p.join(), b = p.join();
  p.sent(a, start);
  CHECK(p.pick() == b);
  p.sent(b, start);
  p.sent(b, start);
  CHECK(p.pick() == a);
  CHECK_FALSE(p.answered(b, 1, 0, start));
  CHECK(p.answered(b, 1, 0, start));
  CHECK(p.pick() == b);
  p.leave(b);
  CHECK(p.pick() == a);
  CHECK(p.join() == b);
}

TEST_CASE("a bound on what one connection has outstanding") {
  share_plan p;
  const auto a = p.join();
  for (std::uint32_t i = 0; i < share_plan::most; ++i) {
    CHECK(p.pick() == a);
    p.sent(a, start);
  }
  CHECK(p.pick() == share_plan::none);
  p.answered(a, 1, 0, start);
  CHECK(p.pick() == a);
}

TEST_CASE("an abandoned statement closes its connection, and is cancelled only where it is alone") {
  share_plan p;
  const auto a = p.join();
  CHECK_FALSE(p.may_cancel(a));
  p.sent(a, start);
  p.sent(a, start);
  p.abandon(a);
  CHECK(p.is_closed(a));
  CHECK_FALSE(p.may_cancel(a));
  CHECK(p.pick() == share_plan::none);
  CHECK(p.closing() == 1);
  CHECK_FALSE(p.answered(a, 1, 0, start));
  CHECK(p.may_cancel(a));
  CHECK(p.answered(a, 1, 1, start));
  CHECK_FALSE(p.may_cancel(a));
}

TEST_CASE("a statement that runs longer than the sharing time has its connection for itself") {
  share_plan p;
  const auto slow = p.join(), quick = p.join(), unused = p.join();
  p.sent(slow, start);
  p.sent(quick, start + 40ms);
  auto next = share_plan::time::max();
  CHECK_FALSE(p.close_slow(start + 49ms, 50ms, next));
  CHECK(next == start + 50ms);
  next = share_plan::time::max();
  CHECK(p.close_slow(start + 50ms, 50ms, next));
  CHECK(next == start + 90ms);
  CHECK(p.is_closed(slow));
  CHECK_FALSE(p.is_closed(quick));
  CHECK_FALSE(p.is_closed(unused));
}

TEST_CASE("random schedules: a cancel can never hit a caller that waits, and nobody is sent to a closed connection") {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    CAPTURE(seed);
    std::minstd_rand random(seed);
    share_plan p;
    struct connection {
      bool closed = false;
      std::vector<bool> statements;  // true: its caller waits
    };
    std::vector<connection> model(4);
    for (std::size_t i = 0; i < model.size(); ++i) REQUIRE(p.join() == i);
    auto now = start;
    for (int step = 0; step < 200; ++step) {
      now += std::chrono::milliseconds(random() % 5);
      const auto s = static_cast<share_plan::slot>(random() % model.size());
      auto &m = model[s];
      switch (random() % 4) {
        case 0:
        case 1: {
          const auto chosen = p.pick();
          if (chosen == share_plan::none) {
            for (auto &c : model) CHECK(c.closed);
            break;
          }
          CHECK_FALSE(model[chosen].closed);
          for (auto &c : model) CHECK((c.closed || c.statements.size() >= model[chosen].statements.size()));
          p.sent(chosen, now);
          model[chosen].statements.push_back(true);
          break;
        }
        case 2: {
          if (m.statements.empty()) break;
          const bool waited = m.statements.front();
          m.statements.erase(m.statements.begin());
          CHECK(p.answered(s, 1, waited ? 0 : 1, now) == m.statements.empty());
          if (m.statements.empty() && m.closed) {  // drained: it goes back and comes again
            p.leave(s);
            REQUIRE(p.join() == s);
            m.closed = false;
          }
          break;
        }
        default: {
          if (m.statements.empty()) break;
          const auto which = random() % m.statements.size();
          if (!m.statements[which]) break;
          m.statements[which] = false;
          m.closed = true;
          p.abandon(s);
        }
      }
      for (share_plan::slot i = 0; i < model.size(); ++i) {
        const auto &all = model[i].statements;
        const bool alone = !all.empty() && std::none_of(all.begin(), all.end(), [](bool waits) { return waits; });
        CHECK(p.may_cancel(i) == alone);
        CHECK(p.outstanding(i) == all.size());
      }
    }
  }
}
