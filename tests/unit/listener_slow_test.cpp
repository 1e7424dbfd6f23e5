#include "events/listener_thread.hpp"
#include "support/until.hpp"
#include "unit/listener_threads.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>

using namespace corbel::test;
using corbel::detail::listener;
using corbel::detail::listener_thread;

namespace {
bool has(const std::string &text, const std::string &piece) { return text.find(piece) != std::string::npos; }
}  // namespace

TEST_CASE("a slow listener gets a thread of its own with one warning; the others go on") {
  warnings warned;
  listener_thread threads(std::ref(warned), 20ms);
  auto slow = threads.add("slow one"), other = threads.add("other");
  gate first, second, done;
  done.open();
  std::thread::id first_on, second_on, other_on;
  slow->post([&] {
    first_on = std::this_thread::get_id();
    first.pass();
  });
  REQUIRE(first.arrived());
  other->post([&] {
    other_on = std::this_thread::get_id();
    done.pass();
  });
  REQUIRE(done.arrived(1));  // although the first call goes on
  auto told = [&] {          // a loaded machine may make the other one slow, too
    auto all = warned.all();
    return std::count_if(all.begin(), all.end(), [](auto &text) { return has(text, "'slow one'"); });
  };
  REQUIRE(until(patience, [&] { return told() == 1; }));
  CHECK(other_on != first_on);

  slow->post([&] {
    second_on = std::this_thread::get_id();
    second.pass();
  });
  first.open();
  REQUIRE(second.arrived());
  CHECK(second_on == first_on);
  other->post([&] { done.pass(); });
  REQUIRE(done.arrived(2));
  second.open();
  threads.stop(patience);
  CHECK(told() == 1);
}

TEST_CASE("its own queue behind a slow call is reason enough to look") {
  warnings warned;
  listener_thread threads(std::ref(warned), 20ms);
  auto slow = threads.add("slow");
  gate g;
  std::atomic<bool> next{false};
  slow->post([&] { g.pass(); });
  REQUIRE(g.arrived());
  slow->post([&] { next = true; });
  CHECK(until(patience, [&] { return warned.all().size() == 1; }));
  CHECK_FALSE(next);
  g.open();
  threads.stop(patience);
  CHECK(next);
}

TEST_CASE("a slow call that nobody waits for is found out when it ends") {
  warnings warned;
  listener_thread threads(std::ref(warned), 20ms);
  auto slow = threads.add("slow");
  gate g;
  slow->post([&] {
    std::this_thread::sleep_for(30ms);  // the time itself is what is tested
    g.open();
    g.pass();
  });
  REQUIRE(g.arrived());
  CHECK(until(patience, [&] { return warned.all().size() == 1; }));
}

TEST_CASE("who has watched a quick call watches the next one, too") {
  listener_thread threads(nullptr, 200ms);
  auto a = threads.add("a"), b = threads.add("b");
  std::atomic<int> ran{0};
  a->post([&] { b->post([&] { ++ran; }); });  // waits behind a running call: starts the watch
  REQUIRE(until(patience, [&] { return ran == 1; }));
  REQUIRE(listener_thread_count() >= 2);
  auto switches = [] { return listener_thread_status("voluntary_ctxt_switches:"); };
  REQUIRE(until(patience, [&] {
    auto before = switches();
    std::this_thread::sleep_for(250ms);  // until the watch is over
    return switches() == before;
  }));
  gate g;
  a->post([&] { g.pass(); });
  REQUIRE(g.arrived());
  b->post([&] { ++ran; });
  CHECK(until(patience, [&] { return ran == 2; }));
  g.open();
  threads.stop(patience);
}

TEST_CASE("many listeners may hang at once") {
  warnings warned;
  listener_thread threads(std::ref(warned), 5ms);
  constexpr int count = 8;
  gate g;
  std::vector<std::shared_ptr<listener>> hanging;
  for (int i = 0; i < count; ++i) {
    hanging.push_back(threads.add("hangs"));
    hanging.back()->post([&] { g.pass(); });
  }
  REQUIRE(g.arrived(count));
  auto other = threads.add("other");
  std::atomic<int> ran{0};
  for (int i = 0; i < 100; ++i) REQUIRE(other->post([&] { ++ran; }));
  CHECK(until(patience, [&] { return ran == 100; }));
  CHECK(warned.all().size() >= count - 1);
  CHECK(listener_thread_count() <= count + 2);
  g.open();
  hanging.clear();  // threads of their own end with their listeners
  CHECK(until(patience, [] { return listener_thread_count() <= 2; }));
  threads.stop(patience);
}

TEST_CASE("a closed listener's own thread ends with its hanging call") {
  listener_thread threads(nullptr, 5ms);
  auto slow = threads.add("slow"), other = threads.add("other");
  gate g;
  slow->post([&] { g.pass(); });
  REQUIRE(g.arrived());
  std::atomic<bool> ran{false};
  other->post([&] { ran = true; });
  REQUIRE(until(patience, [&] { return ran.load(); }));
  slow->close();
  g.open();
  CHECK(until(patience, [] { return listener_thread_count() <= 2; }));
  threads.stop(patience);
}

TEST_CASE("a listener that throws disturbs nobody and is reported") {
  warnings warned;
  listener_thread threads(std::ref(warned), std::chrono::hours(1));
  auto bad = threads.add("bad"), odd = threads.add("odd"), good = threads.add("good");
  std::atomic<int> ran{0};
  for (int i = 0; i < 50; ++i) {
    bad->post([] { throw std::runtime_error("no such user"); });
    odd->post([] { throw 42; });
    good->post([&] { ++ran; });
  }
  REQUIRE(until(patience, [&] { return ran == 50 && warned.all().size() >= 2; }));
  threads.stop(patience);
  auto all = warned.all();
  auto tells = [&](const std::string &who, const std::string &what) {
    return std::any_of(all.begin(), all.end(), [&](auto &text) { return has(text, who) && has(text, what); });
  };
  CHECK(tells("'bad'", "no such user"));
  CHECK(tells("'odd'", "no std::exception"));
  CHECK(all.size() < 50);  // at most one a second for each
}

TEST_CASE("a log receiver that throws about its own warning comes to rest") {
  std::shared_ptr<listener> log;
  std::atomic<int> calls{0};
  std::function<void()> receive = [&] {
    ++calls;
    throw std::runtime_error("disk full");
  };
  listener_thread threads([&](const std::string &) { log->post(receive); }, std::chrono::hours(1));
  log = threads.add("log");
  log->post(receive);
  REQUIRE(until(patience, [&] { return calls == 2; }));  // the line, and the one about it
  threads.stop(patience);
  CHECK(calls == 2);
}
