/// A queue from outside: what it holds, and its dead list by page.

#include "live/queue_fixture.hpp"

#include <corbel/queue_inspector.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <set>

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;

namespace {

struct inspected : queue_fixture {
  queue_inspector look{pool, {.name = "work"}};

  queue_stats stats() {
    auto r = now(look.async_stats({}, asio::use_future));
    REQUIRE_MESSAGE(r, r.error().message());
    return std::move(*r);
  }
  dead_page page(std::optional<std::uint64_t> after, std::size_t count) {
    auto r = now(look.async_dead(after, count, {}, asio::use_future));
    REQUIRE_MESSAGE(r, r.error().message());
    return std::move(*r);
  }
  /// Puts and buries so many.
  void bury(int count, const std::string &reason = "bad") {
    std::vector<put_item> items;
    for (int i = 0; i < count; ++i) items.push_back({.body = "b" + std::to_string(i), .id = "m" + std::to_string(i)});
    put(std::move(items));
    consumer out(pool, {.name = "work", .concurrency = 64});
    for (int i = 0; i < count; ++i) {
      auto m = take(out);
      settle_request how = settle::bury;
      how.reason = reason;
      REQUIRE(settled(m, how));
    }
  }
};

}  // namespace

TEST_CASE_FIXTURE(inspected, "an empty queue, and one with something of each kind") {
  auto empty = stats();
  CHECK(empty.json() == R"({"ready": 0, "in_flight": 0, "delayed": 0, "parked": 0, "dead": 0, "oldest_age": 0, )"
                        R"("lanes": [{"name": "", "ready": 0, "in_flight": 0, "oldest_age": 0}]})");
  bury(2);
  put({{.body = "held"}});
  consumer out(pool, {.name = "work"});
  auto held = take(out);
  put({{.body = "ready"}, {.body = "later", .delay = 1h}, {.body = "ready too"}});
  REQUIRE(until(patience, [&] { return stats().oldest_age > 5ms; }));
  auto s = stats();
  CHECK(s.ready == 2);
  CHECK(s.in_flight == 1);
  CHECK(s.delayed == 1);
  CHECK(s.dead == 2);
  CHECK(s.parked == 0);
  REQUIRE(s.lanes.size() == 1);
  CHECK(s.lanes[0].ready == 2);
  CHECK(s.lanes[0].oldest_age == s.oldest_age);
  CHECK(s.oldest_age < patience);
  CHECK(settled(held));
}

TEST_CASE_FIXTURE(inspected, "lanes are told apart") {
  queue_options lanes{.name = "work", .lanes = {{"a"}, {"b"}}};
  queue_inspector two(pool, lanes);
  producer in(pool, lanes);
  std::vector<put_item> items;
  items.push_back({.body = "1", .lane = "b"});
  items.push_back({.body = "2", .lane = "b"});
  REQUIRE(now(in.async_put(std::move(items), {}, asio::use_future)));
  auto s = now(two.async_stats({}, asio::use_future));
  REQUIRE(s);
  REQUIRE(s->lanes.size() == 2);
  CHECK(s->lanes[0].name == "a");
  CHECK(s->lanes[0].ready == 0);
  CHECK(s->lanes[1].name == "b");
  CHECK(s->lanes[1].ready == 2);
  CHECK(s->ready == 2);
}

TEST_CASE_FIXTURE(inspected, "the dead are read by page, each once, with what is known of them") {
  bury(7, "no such city");
  std::vector<std::string> seen;
  std::optional<std::uint64_t> after;
  int pages = 0;
  for (;; ++pages) {
    auto p = page(after, 3);
    for (auto &m : p.messages) seen.push_back(m.id + "=" + m.body);
    if (!p.next) break;
    after = p.next;
  }
  CHECK(pages == 2);
  REQUIRE(seen.size() == 7);
  CHECK(std::set<std::string>(seen.begin(), seen.end()).size() == 7);
  auto first = page({}, 1);
  REQUIRE(first.messages.size() == 1);
  auto &m = first.messages[0];
  CHECK(m.reason == "no such city");
  CHECK(m.attempts == 1);
  CHECK(std::chrono::abs(std::chrono::system_clock::now() - m.died_at) < 60s);
  REQUIRE(m.history.size() == 1);
  CHECK(m.history[0].attempt == 1);
  CHECK(m.history[0].reason == "no such city");
  CHECK_FALSE(m.history[0].by.empty());
  for (std::size_t wrong : {0, 1001}) {
    auto r = now(look.async_dead({}, wrong, {}, asio::use_future));
    REQUIRE_FALSE(r);
    CHECK(r.error().is(status::invalid));
  }
}

TEST_CASE_FIXTURE(inspected, "some are put back and some removed; what is not there does not count") {
  bury(6);
  auto p = page({}, 100);
  auto number = [&](std::size_t i) { return p.messages[i].number; };
  CHECK(*now(look.async_requeue({number(0), number(5), 1}, {}, asio::use_future)) == 2);
  CHECK(*now(look.async_requeue({number(0)}, {}, asio::use_future)) == 0);
  CHECK(*now(look.async_purge({number(1), number(1), 12345}, {}, asio::use_future)) == 1);
  auto s = stats();
  CHECK(s.ready == 2);
  CHECK(s.dead == 3);
  consumer out(pool, {.name = "work"});
  auto m = take(out);
  CHECK(m.attempt() == 1);  // forgotten
  CHECK(settled(m));
}

TEST_CASE_FIXTURE(inspected, "all of many are put back, then removed, in steps") {
  bury(2500);
  CHECK(*now(look.async_requeue({}, {.timeout = patience}, asio::use_future)) == 2500);
  CHECK(stats().ready == 2500);
  CHECK(stats().dead == 0);
  CHECK(*now(look.async_requeue({}, {}, asio::use_future)) == 0);
  server.command({"DEL", "work"});
  bury(2500);
  std::vector<std::uint64_t> some;
  std::optional<std::uint64_t> after;
  do {
    auto p = page(after, 1000);
    for (auto &m : p.messages) some.push_back(m.number);
    after = p.next;
  } while (after);
  REQUIRE(some.size() == 2500);
  some.resize(1200);
  CHECK(*now(look.async_purge(some, {.timeout = patience}, asio::use_future)) == 1200);
  CHECK(*now(look.async_purge({}, {.timeout = patience}, asio::use_future)) == 1300);
  CHECK(stats().dead == 0);
}

TEST_CASE_FIXTURE(inspected, "questions end at their deadline, by cancelling, and with the pool") {
  server.pause();
  auto late = now(look.async_stats({.timeout = 50ms}, asio::use_future));
  CHECK_FALSE(late);
  auto purge = now(look.async_purge({1, 2}, {.timeout = 50ms}, asio::use_future));
  REQUIRE_FALSE(purge);
  REQUIRE(purge.error().field("done"));
  CHECK(*purge.error().field("done") == "0");
  asio::cancellation_signal cancel;
  std::promise<status> told;
  look.async_dead({}, 10, {.timeout = call::unlimited},
                  asio::bind_cancellation_slot(cancel.slot(), [&](const result<dead_page> &r) {
                    told.set_value(r ? status::ok : r.error().code());
                  }));
  cancel.emit(asio::cancellation_type::total);
  CHECK(now(told.get_future()) == status::cancelled);
  auto left = look.async_stats({.timeout = call::unlimited}, asio::use_future);
  (void)rt.shutdown(100ms);
  CHECK_FALSE(now(std::move(left)));
  CHECK_FALSE(now(look.async_stats({}, asio::use_future)));
  server.resume();
}
