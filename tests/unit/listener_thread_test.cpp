#include "events/listener_thread.hpp"

#include "support/until.hpp"
#include "unit/listener_threads.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>

using namespace corbel::test;
using corbel::detail::listener;
using corbel::detail::listener_thread;

namespace {
constexpr auto never = std::chrono::hours(1);

/// Waits until everything posted before has run.
bool settle(listener &l) {
  auto g = std::make_shared<gate>();
  g->open();
  return l.post([g] { g->pass(); }) && g->arrived();
}
}  // namespace

TEST_CASE("tasks of one listener run one at a time, in the order of each poster") {
  listener_thread threads(nullptr, never);
  auto l = threads.add("x");
  std::atomic<int> inside{0}, overlaps{0}, disorder{0}, ran{0};
  std::vector<int> last(4, -1);
  std::vector<std::thread> posters;
  posters.reserve(4);
  for (int p = 0; p < 4; ++p)
    posters.emplace_back([&, p] {
      for (int i = 0; i < 2000; ++i)
        REQUIRE(l->post([&, p, i] {
          if (inside.fetch_add(1) != 0) ++overlaps;
          if (last[p] != i - 1) ++disorder;
          last[p] = i;
          ++ran;
          --inside;
        }));
    });
  for (auto &p : posters) p.join();
  REQUIRE(settle(*l));
  CHECK(ran == 8000);
  CHECK(overlaps == 0);
  CHECK(disorder == 0);
}

TEST_CASE("no thread before the first task, no thread after stop") {
  REQUIRE(until(patience, [] { return listener_thread_count() == 0; }));
  listener_thread threads(nullptr, never);
  auto l = threads.add("x");
  CHECK(listener_thread_count() == 0);
  REQUIRE(settle(*l));
  CHECK(listener_thread_count() == 1);
  threads.stop(patience);
  CHECK(until(patience, [] { return listener_thread_count() == 0; }));
}

TEST_CASE("an idle thread sleeps without a timer") {
  listener_thread threads(nullptr, 20ms);
  auto a = threads.add("a"), b = threads.add("b");
  gate g;
  a->post([&] { g.pass(); });
  REQUIRE(g.arrived());
  b->post([] {});  // starts the watch, and then a thread for a
  REQUIRE(settle(*b));
  g.open();
  REQUIRE(settle(*a));
  REQUIRE(listener_thread_count() >= 2);
  auto switches = [] { return listener_thread_status("voluntary_ctxt_switches:"); };
  CHECK(until(patience, [&] {
    auto before = switches();
    std::this_thread::sleep_for(200ms);  // ten times slow_after: nobody may have woken
    return switches() == before;
  }));
}

TEST_CASE("signals are left to the host's threads") {
  listener_thread threads(nullptr, never);
  auto l = threads.add("x");
  sigset_t mask;
  sigemptyset(&mask);
  REQUIRE(l->post([&] { pthread_sigmask(SIG_BLOCK, nullptr, &mask); }));
  REQUIRE(settle(*l));
  for (int s : {SIGTERM, SIGINT, SIGPIPE, SIGCHLD, SIGUSR1}) CHECK(sigismember(&mask, s) == 1);
  sigset_t mine;
  pthread_sigmask(SIG_BLOCK, nullptr, &mine);
  CHECK(sigismember(&mine, SIGTERM) == 0);
}

TEST_CASE("is_here tells listener threads of any runtime from others") {
  listener_thread one(nullptr, never), two(nullptr, never);
  auto a = one.add("a"), b = two.add("b");
  CHECK_FALSE(listener_thread::is_here());
  std::atomic<int> yes{0};
  a->post([&] { yes += listener_thread::is_here(); });
  b->post([&] { yes += listener_thread::is_here(); });
  REQUIRE(settle(*a));
  REQUIRE(settle(*b));
  CHECK(yes == 2);
}

TEST_CASE("post is bounded and counts what it refused; post_latest keeps the latest only") {
  listener_thread threads(nullptr, never);
  auto l = threads.add("x");
  gate g;
  REQUIRE(l->post([&] { g.pass(); }));
  REQUIRE(g.arrived());
  std::string ran;
  REQUIRE(l->post_latest([&] { ran += 'a'; }));
  REQUIRE(l->post([&] { ran += 'b'; }));
  REQUIRE(l->post_latest([&] { ran += 'c'; }));  // takes the place of a
  for (std::size_t i = 2; i < listener::max_tasks; ++i) REQUIRE(l->post([&] { ran += '.'; }));
  CHECK_FALSE(l->post([&] { ran += '!'; }));
  CHECK_FALSE(l->post([&] { ran += '!'; }));
  CHECK(l->refused() == 2);
  REQUIRE(l->post_latest([&] { ran += 'd'; }));  // takes the place of c
  CHECK(l->refused() == 2);
  g.open();
  REQUIRE(until(patience, [&] { return settle(*l); }));
  CHECK(ran.substr(0, 3) == "db.");
  CHECK(ran.size() == listener::max_tasks);
  REQUIRE(l->post_latest([&] { ran = "again"; }));  // the one before has begun: this is a new one
  REQUIRE(settle(*l));
  CHECK(ran == "again");
}

TEST_CASE("close: what is queued never begins and is destroyed, what runs goes on") {
  listener_thread threads(nullptr, never);
  auto l = threads.add("x");
  gate g;
  std::atomic<bool> finished{false}, later{false};
  auto held = std::make_shared<int>(1);
  REQUIRE(l->post([&] { finished = g.pass(); }));
  REQUIRE(g.arrived());
  REQUIRE(l->post([&, held] { later = true; }));
  REQUIRE(l->post_latest([&, held] { later = true; }));
  CHECK(held.use_count() == 3);
  l->close();
  CHECK(held.use_count() == 1);
  CHECK_FALSE(l->post([&] { later = true; }));
  CHECK_FALSE(l->post_latest([&] { later = true; }));
  CHECK(l->refused() == 0);
  g.open();
  threads.stop(patience);
  CHECK(finished);
  CHECK_FALSE(later);
}

TEST_CASE("a listener may close, free and post to itself from its own task") {
  listener_thread threads(nullptr, never);
  auto l = threads.add("x");
  std::atomic<int> ran{0};
  REQUIRE(l->post([&] {
    ++ran;
    l->post([&] {
      ++ran;
      l->close();
      l.reset();
    });
    l->post([&] { ran = 100; });
  }));
  auto other = threads.add("y");
  REQUIRE(until(patience, [&] { return ran >= 2; }));
  REQUIRE(settle(*other));
  CHECK(ran == 2);
}

TEST_CASE("freed without close: what is queued still runs") {
  listener_thread threads(nullptr, never);
  auto l = threads.add("x");
  gate g;
  std::atomic<int> ran{0};
  REQUIRE(l->post([&] { g.pass(); }));
  for (int i = 0; i < 3; ++i) REQUIRE(l->post([&] { ++ran; }));
  l.reset();
  g.open();
  CHECK(until(patience, [&] { return ran == 3; }));
}
