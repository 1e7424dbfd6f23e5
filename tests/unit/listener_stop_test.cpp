#include "events/listener_thread.hpp"
#include "support/until.hpp"
#include "unit/listener_threads.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace corbel::test;
using corbel::detail::listener_thread;

namespace {
constexpr auto never = std::chrono::hours(1);
}

TEST_CASE("stop runs what is queued, and what that queues; then nothing is taken") {
  listener_thread threads(nullptr, never);
  auto a = threads.add("a"), b = threads.add("b");
  std::atomic<int> ran{0};
  for (int i = 0; i < 500; ++i) {
    REQUIRE(a->post([&] {
      ++ran;
      b->post([&] { ++ran; });
    }));
  }
  threads.stop(patience);
  CHECK(ran == 1000);
  CHECK_FALSE(a->post([&] { ++ran; }));
  CHECK_FALSE(b->post_latest([&] { ++ran; }));
  threads.stop(patience);
  CHECK(ran == 1000);
  CHECK(until(patience, [] { return listener_thread_count() == 0; }));
}

TEST_CASE("stop abandons a hanging listener: its queue is destroyed, its thread ends with the call") {
  auto g = std::make_shared<gate>();
  auto held = std::make_shared<int>(1);
  std::weak_ptr<gate> inside = g;
  auto calls_after = std::make_shared<std::atomic<int>>(0);
  {
    warnings warned;
    listener_thread threads(std::ref(warned), 5ms);
    auto hangs = threads.add("hangs"), other = threads.add("other");
    REQUIRE(hangs->post([g] { g->pass(); }));
    REQUIRE(g->arrived());
    REQUIRE(hangs->post([held, calls_after] { ++*calls_after; }));
    std::atomic<int> ran{0};
    for (int i = 0; i < 10; ++i) REQUIRE(other->post([&] { ++ran; }));
    threads.stop(2s);
    CHECK(ran == 10);
    CHECK(held.use_count() == 1);
    CHECK(until(patience, [] { return listener_thread_count() == 1; }));
  }
  auto opener = std::move(g);
  opener->open();  // everything but the thread's own share is gone by now
  opener.reset();
  CHECK(until(patience, [] { return listener_thread_count() == 0; }));
  CHECK(until(patience, [&] { return inside.expired(); }));
  CHECK(*calls_after == 0);
}

TEST_CASE("stop with no time at all drops what is queued") {
  listener_thread threads(nullptr, never);
  auto a = threads.add("a"), b = threads.add("b");
  auto g = std::make_shared<gate>();
  auto held = std::make_shared<int>(1);
  REQUIRE(a->post([g] { g->pass(); }));
  REQUIRE(g->arrived());
  for (auto &l : {a, b}) REQUIRE(l->post([held] {}));
  threads.stop(0ms);
  CHECK(held.use_count() == 1);
  g->open();
  CHECK(until(patience, [] { return listener_thread_count() == 0; }));
}

TEST_CASE("stop and the destructor on an own thread do not wait for themselves") {
  for (bool destroy : {false, true}) {
    auto threads = std::make_unique<listener_thread>(nullptr, never);
    auto l = threads->add("x");
    std::atomic<bool> back{false}, after{false};
    auto posted = std::make_shared<gate>();
    REQUIRE(l->post([&] {
      posted->pass();
      if (destroy)
        threads.reset();
      else
        threads->stop(patience);
      back = true;
    }));
    REQUIRE(l->post([&] { after = true; }));
    posted->open();
    CHECK(until(patience, [&] { return after.load(); }));
    CHECK(back);
    CHECK(until(patience, [] { return listener_thread_count() == 0; }));
  }
}

TEST_CASE("the destructor waits for no task; what is queued still runs, and no warning comes any more") {
  auto g = std::make_shared<gate>();
  auto ran = std::make_shared<std::atomic<int>>(0);
  warnings warned;
  {
    listener_thread threads(std::ref(warned), 5ms);
    auto l = threads.add("hangs"), other = threads.add("other");
    REQUIRE(l->post([g] { g->pass(); }));
    REQUIRE(g->arrived());
    REQUIRE(l->post([ran] { ++*ran; }));
    REQUIRE(other->post([ran] { ++*ran; }));
  }
  auto before = warned.all().size();
  CHECK(until(patience, [&] { return *ran >= 1; }));  // the other's, although the first hangs
  g->open();
  CHECK(until(patience, [] { return listener_thread_count() == 0; }));
  CHECK(*ran == 2);
  CHECK(warned.all().size() == before);
}

TEST_CASE("after the destructor nobody waits for a call to become slow") {
  auto g = std::make_shared<gate>();
  {
    listener_thread threads(nullptr, never);
    auto a = threads.add("a"), b = threads.add("b");
    REQUIRE(a->post([g] { g->pass(); }));
    REQUIRE(g->arrived());
    REQUIRE(b->post([] {}));  // somebody watches a now
    REQUIRE(until(patience, [] {
      auto states = listener_thread_status("State:");
      return states.size() == 2 &&
             std::all_of(states.begin(), states.end(), [](auto &s) { return s.second.starts_with("\tS"); });
    }));
  }
  g->open();
  CHECK(until(patience, [] { return listener_thread_count() == 0; }));
}

TEST_CASE("a warning may hold the last share of what owns the threads") {
  struct owner {
    std::optional<listener_thread> threads;
  };
  auto o = std::make_shared<owner>();
  auto last = std::make_shared<std::shared_ptr<owner>>(o);
  o->threads.emplace([last](const std::string &) { last->reset(); }, 5ms);
  auto l = o->threads->add("x");
  std::weak_ptr<owner> gone = o;
  o.reset();
  REQUIRE(l->post([] { throw 1; }));
  CHECK(until(patience, [&] { return gone.expired(); }));
  CHECK(until(patience, [] { return listener_thread_count() == 0; }));
}

TEST_CASE("a child after fork takes no task and may free everything, whatever the parent was doing") {
  auto threads = std::make_unique<listener_thread>(nullptr, 1ms);
  auto hangs = threads->add("hangs");
  auto g = std::make_shared<gate>();
  REQUIRE(hangs->post([g] { g->pass(); }));
  REQUIRE(g->arrived());
  std::atomic<bool> enough{false};
  std::thread busy([&] {
    auto l = threads->add("busy");
    while (!enough) l->post([] {});
  });
  for (int i = 0; i < 50; ++i) {
    auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::alarm(20);  // a hang ends it by a signal
      bool taken = hangs->post([] {}) || hangs->post_latest([] {});
      hangs->close();
      hangs.reset();
      threads->stop(patience);
      threads.reset();
      ::_exit(taken ? 1 : 0);
    }
    int how = -1;
    REQUIRE(::waitpid(child, &how, 0) == child);
    CHECK(how == 0);
  }
  enough = true;
  busy.join();
  g->open();
  threads->stop(patience);
}
