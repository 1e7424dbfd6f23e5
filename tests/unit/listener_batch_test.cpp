#include "events/listener_batch.hpp"

#include "support/until.hpp"
#include "unit/listener_threads.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace corbel::test;
using namespace std::chrono_literals;
using corbel::detail::listener;
using corbel::detail::listener_batch;
using corbel::detail::listener_thread;

TEST_CASE("tasks of many threads run once each, one at a time, in the order of each thread") {
  listener_thread threads(nullptr);
  auto batch = std::make_shared<listener_batch>(threads.add("batch"));
  std::vector<int> last(4, -1);
  int ran = 0, wrong = 0;
  std::vector<std::thread> posting;
  for (int t = 0; t < 4; ++t)
    posting.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        REQUIRE(batch->post([&, t, i] {
          wrong += last[static_cast<std::size_t>(t)] != i - 1;
          last[static_cast<std::size_t>(t)] = i;
          ++ran;
        }));
        if (i % 100 == 0) std::this_thread::sleep_for(100us);
      }
    });
  for (auto &t : posting) t.join();
  threads.stop(patience);
  CHECK(ran == 8000);
  CHECK(wrong == 0);
}

TEST_CASE("what waits is bounded, and runs when the listener goes on") {
  listener_thread threads(nullptr);
  auto batch = std::make_shared<listener_batch>(threads.add("batch"));
  auto g = std::make_shared<gate>();
  std::atomic<std::size_t> ran{0};
  REQUIRE(batch->post([g] { g->pass(); }));
  REQUIRE(g->arrived());
  std::size_t taken = 0;
  while (taken < 2 * listener::max_tasks && batch->post([&] { ++ran; })) ++taken;
  CHECK(taken == listener::max_tasks);
  g->open();
  threads.stop(patience);
  CHECK(ran == taken);
}

TEST_CASE("a task that throws is reported, and keeps none of the others back") {
  warnings warned;
  listener_thread threads(std::ref(warned));
  auto batch = std::make_shared<listener_batch>(threads.add("batch"));
  std::atomic<int> ran{0};
  for (int i = 0; i < 10; ++i)
    REQUIRE(batch->post([&ran, i] {
      ++ran;
      if (i == 3) throw std::runtime_error("disk full");
    }));
  threads.stop(patience);
  CHECK(ran == 10);
  REQUIRE(warned.all().size() == 1);
  CHECK(warned.all()[0].find("disk full") != std::string::npos);
}

TEST_CASE("a batch of many tasks is no slow listener, and others have their turn meanwhile") {
  warnings warned;
  listener_thread threads(std::ref(warned), 2s);
  auto batch = std::make_shared<listener_batch>(threads.add("batch"));
  auto other = threads.add("other");
  std::atomic<int> ran{0}, between{-1};
  for (int i = 0; i < 200; ++i)
    REQUIRE(batch->post([&ran] {
      std::this_thread::sleep_for(15ms);
      ++ran;
    }));
  REQUIRE(until(patience, [&] { return ran > 0; }));
  REQUIRE(other->post([&] { between = ran.load(); }));
  threads.stop(patience);
  CHECK(ran == 200);
  CHECK(between < 200);
  CHECK(warned.all().empty());
}

TEST_CASE("nothing is taken after the end, by whom the listener has left, and in a child") {
  auto held = std::make_shared<int>(1);
  auto g = std::make_shared<gate>();
  listener_thread threads(nullptr, std::chrono::hours(1));
  auto batch = std::make_shared<listener_batch>(threads.add("batch"));
  REQUIRE(batch->post([g] { g->pass(); }));
  REQUIRE(g->arrived());
  REQUIRE(batch->post([held] {}));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(batch->post([] {}) ? 1 : 0);
  int status = 1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  threads.stop(10ms);
  CHECK(held.use_count() == 2);
  g->open();
  CHECK(until(patience, [&] { return held.use_count() == 1; }));
  CHECK_FALSE(batch->post([] {}));
}
