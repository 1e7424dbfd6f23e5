/// Attempts that do not end well: back-off, history, the dead list, lost leases, what is interrupted.

#include "live/queue_fixture.hpp"

#include <corbel/queue_inspector.hpp>

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;

namespace {

struct retry_fixture : queue_fixture {
  dead_page dead(std::optional<std::uint64_t> after = {}, std::size_t count = 100) {
    queue_inspector look(pool, {.name = "work"});
    auto page = now(look.async_dead(after, count, {}, asio::use_future));
    REQUIRE_MESSAGE(page, page.error().message());
    return *std::move(page);
  }
};

settle_request failing(std::string reason, std::chrono::milliseconds delay = 0ms) {
  settle_request how = settle::retry;
  how.delay = delay;
  how.reason = std::move(reason);
  return how;
}

}  // namespace

TEST_CASE_FIXTURE(retry_fixture, "a retry waits for its back-off") {
  put({{"x"}});
  consumer out(pool, {.name = "work", .backoff = {.first = 400ms, .most = 400ms}});
  auto m = take(out);
  const auto began = std::chrono::steady_clock::now();
  CHECK(settled(m, settle::retry));
  auto again = take(out);
  const auto took = std::chrono::steady_clock::now() - began;
  CHECK(took >= 199ms);
  CHECK(again.attempt() == 2);
  settle_request at = settle::retry;
  at.not_before = std::chrono::system_clock::now() + 300ms;
  CHECK(settled(again, at));
  auto third = take(out);
  CHECK(std::chrono::system_clock::now() >= at.not_before - 1ms);
  CHECK(settled(third));
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(retry_fixture, "after its last attempt a message is dead, with its history, and can be requeued") {
  put({{.body = std::string("b\0dy", 4), .id = "m", .group = "g"}});
  consumer out(pool, {.name = "work", .max_attempts = 3});
  for (auto reason : {"first", "second\nline", "third"}) {
    auto m = take(out);
    CHECK(settled(m, failing(reason)));
  }
  CHECK(ready() == 0);
  CHECK(inflight() == 0);
  auto page = dead();
  REQUIRE(page.messages.size() == 1);
  CHECK_FALSE(page.next);
  const auto &d = page.messages[0];
  CHECK(d.id == "m");
  CHECK(d.group == "g");
  CHECK(d.body == std::string("b\0dy", 4));
  CHECK(d.attempts == 3);
  CHECK(d.reason == "attempt 3 of 3: third");
  REQUIRE(d.history.size() == 3);
  CHECK(d.history[1].reason == "second\nline");
  CHECK(d.history[1].attempt == 2);
  CHECK(d.history[0].by.size() == 16);
  CHECK(d.history[2].at >= d.history[0].at);

  queue_inspector look(pool, {.name = "work"});
  CHECK(now(look.async_requeue({d.number}, {}, asio::use_future)).value() == 1);
  CHECK(now(look.async_requeue({d.number}, {}, asio::use_future)).value() == 0);
  auto m = take(out);
  CHECK(m.id() == "m");
  CHECK(m.attempt() == 1);
  CHECK(settled(m));
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(retry_fixture, "the dead are listed by pages, requeued and purged") {
  std::vector<put_item> items;
  for (int i = 0; i < 7; ++i) items.push_back({.body = std::to_string(i)});
  put(items);
  consumer out(pool, {.name = "work"});
  for (int i = 0; i < 7; ++i) {
    auto m = take(out);
    settle_request bury = settle::bury;
    bury.reason = "no good";
    CHECK(settled(m, bury));
  }
  std::vector<std::string> bodies;
  std::optional<std::uint64_t> after;
  std::uint64_t some = 0;
  do {
    auto page = dead(after, 3);
    for (auto &d : page.messages) {
      bodies.push_back(d.body);
      CHECK(d.reason == "no good");
      if (d.body == "3") some = d.number;
    }
    after = page.next;
  } while (after);
  CHECK(bodies == std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6"});
  queue_inspector look(pool, {.name = "work"});
  CHECK(now(look.async_purge({some}, {}, asio::use_future)).value() == 1);
  auto stats = now(look.async_stats({}, asio::use_future));
  REQUIRE(stats);
  CHECK(stats->dead == 6);
  CHECK(now(look.async_requeue({}, {}, asio::use_future)).value() == 6);
  CHECK(ready() == 6);
  CHECK(now(look.async_purge({}, {}, asio::use_future)).value() == 0);
}

TEST_CASE_FIXTURE(retry_fixture, "attempts that end with their worker count too, and the last one is death") {
  put({{.body = "poison", .id = "p"}});
  // Renewed after three seconds; before that the other's reaper comes.
  consumer out(pool, {.name = "work", .max_attempts = 2, .concurrency = 2, .lease = 10s});
  consumer reaping(pool, {.name = "work", .max_attempts = 2, .lease = 300ms});
  for (int i = 0; i < 2; ++i) {
    auto m = take(out);
    CHECK(m.attempt() == std::uint32_t(i + 1));
    auto lost = m.async_wait_lost(asio::use_future);
    end_lease(server, m.token());
    CHECK(now(std::move(lost)).value());
    CHECK(m.lost());
    CHECK_FALSE(settled(m));
  }
  auto page = dead();
  REQUIRE(page.messages.size() == 1);
  CHECK(page.messages[0].reason == "attempt 2 of 2: its lease ended");
  CHECK(page.messages[0].history.size() == 2);
}

TEST_CASE_FIXTURE(retry_fixture, "a wait for a lost lease ends when the message is settled, and can be cancelled with it") {
  put({{"x"}, {"y"}});
  consumer out(pool, {.name = "work", .concurrency = 2});
  auto m = take(out), n = take(out);
  auto lost = m.async_wait_lost(asio::use_future), other = n.async_wait_lost(asio::use_future);
  CHECK(settled(m));
  CHECK(now(std::move(lost)).value() == false);
  { message gone = std::move(n); }
  CHECK(now(std::move(other)).value() == false);
}

TEST_CASE_FIXTURE(retry_fixture, "interrupted work is not run again: it is dead, and its host hears of it") {
  put({{.body = "once", .id = "o"}});
  std::promise<std::string> heard;
  consumer first(pool, {.name = "work", .lease = 1h, .crashed = after_crash::interrupt});
  auto m = take(first);
  end_lease(server, m.token());
  consumer second(pool,
                  {.name = "work",
                   .lease = 300ms,
                   .crashed = after_crash::interrupt,
                   .interrupted = [&](const std::string &id, const std::string &body) { heard.set_value(id + body); }});
  auto waiting = taking(second);
  CHECK(now(heard.get_future()) == "oonce");
  CHECK(ready() == 0);
  CHECK_FALSE(settled(m));
  auto page = dead();
  REQUIRE(page.messages.size() == 1);
  CHECK(page.messages[0].reason == "interrupted: its worker was lost");
}
