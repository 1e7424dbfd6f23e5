/// What other hands, odd bytes, other lanes and a full server do to a queue: nothing is stuck, nothing is dropped in
/// silence.

#include "live/queue_fixture.hpp"

#include <corbel/queue_inspector.hpp>

#include <cstdio>
#include <map>
#include <random>

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;

namespace {

/// Any bytes, the same for the same seed.
std::string bytes(std::size_t size, unsigned seed) {
  std::minstd_rand random(seed);
  std::string s(size, '\0');
  for (auto &c : s) c = static_cast<char>(random() >> 7);
  return s;
}

}  // namespace

TEST_CASE_FIXTURE(queue_fixture, "10 MiB of any bytes come through a retry, the dead list and a requeue as they were put") {
  const auto body = bytes(10u << 20, 1);
  REQUIRE(body.find('\0') != body.npos);
  put({{.body = body, .id = "large"}});
  consumer out(pool, {.name = "work"});
  queue_inspector look(pool, {.name = "work"});
  auto m = take(out);
  CHECK(m.body() == body);
  CHECK(settled(m, retry_at_once()));
  auto again = take(out);
  CHECK(again.attempt() == 2);
  CHECK(again.body() == body);
  CHECK(settled(again, settle::bury));
  auto page = now(look.async_dead({}, 10, {}, asio::use_future));
  REQUIRE(page);
  REQUIRE(page->messages.size() == 1);
  CHECK(page->messages[0].body == body);
  CHECK(now(look.async_requeue({page->messages[0].number}, {}, asio::use_future)).value() == 1);
  auto last = take(out);
  CHECK(last.attempt() == 1);
  CHECK(last.body() == body);
  CHECK(settled(last));
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(queue_fixture,
                  "whatever bytes other hands push: taken, counted under one id by server and library, settled") {
  std::mt19937 random(5);
  const std::string alphabet("ab17\x1f\x1f\x1f\n\n\r\x1e:\x7f\xff\xc3\xa4{}\"\0", 22);
  std::vector<std::string> elements{"",
                                    "\n",
                                    "\x1f\n",
                                    "not JSON",
                                    "{}",
                                    "{\"task_id\": 1",
                                    "id\nbody",
                                    "id\x1f"
                                    "7\nbody",
                                    "id\x1f"
                                    "7\x1f"
                                    "g\nbody",
                                    "id\x1f"
                                    "7\x1f"
                                    "g\x1fmore\nbody",
                                    "id\x1f-7\nbody",
                                    std::string(400, 'x') + "\nbody",
                                    bytes(10u << 20, 2)};
  const std::vector<std::string> parts{"a", "", "7", "-7", "+7", " 7", "7g", "99999999999999999999", "g\x7f", "\xc3\xa4"};
  while (elements.size() < 300) {
    std::string head = parts[random() % parts.size()];
    for (auto n = random() % 4; n > 0; --n) head += '\x1f' + parts[random() % parts.size()];
    elements.push_back(head + "\nbody");
  }
  while (elements.size() < 600) {
    std::string e;
    for (auto n = random() % 12; n > 0; --n) e += alphabet[random() % alphabet.size()];
    elements.push_back(e);
  }
  consumer out(pool, {.name = "work"});
  for (const auto &element : elements) {
    CAPTURE(element.substr(0, 40));
    server.command({"LPUSH", "work", element});
    auto m = take(out);
    CHECK(element.ends_with(m.body()));
    CHECK(m.id() != "");
    CHECK(m.attempt() == 1);
    CHECK(settled(m, retry_at_once()));
    CHECK(server.command({"HGET", "work:attempts", m.id()}).text == "1");
    auto again = take(out);
    CHECK(again.id() == m.id());
    CHECK(again.attempt() == 2);
    CHECK(again.body() == m.body());
    CHECK(settled(again));
  }
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(queue_fixture,
                  "messages of lanes that are not there any more are worked in the first one; unknown lanes are refused") {
  const queue_options three{.name = "work", .lanes = {{"a"}, {"b"}, {"c"}}, .lease = 15000ms},
      one{.name = "work", .lanes = {{"a"}}, .lease = 1000ms};
  producer in(pool, three);
  auto refused = now(in.async_put({.body = "x", .lane = "d"}, asio::use_future));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message() == "the lane 'd' of item 0 is none of the queue's");
  auto put_three = [&](std::vector<put_item> items) { REQUIRE(now(in.async_put(std::move(items), {}, asio::use_future))); };
  put_three({{.body = "left in flight", .lane = "c"}});
  consumer holder(pool, three);
  auto held = take(holder);
  CHECK(held.lane() == "c");
  put_three({{.body = "delayed", .lane = "b", .delay = 500ms}, {.body = "stays", .lane = "b"}});
  end_lease(server, held.token());
  consumer out(pool, one);
  std::multimap<std::string, std::uint32_t> seen;
  for (int i = 0; i < 2; ++i) {
    auto m = take(out);
    CHECK(m.lane() == "a");
    seen.emplace(m.body(), m.attempt());
    CHECK(settled(m));
  }
  CHECK(seen.contains("delayed"));
  CHECK(seen.contains("left in flight"));
  CHECK(number({"LLEN", "work:b"}) == 1);  // nobody works that list, and nobody drops it
}

TEST_CASE_FIXTURE(queue_fixture, "a full server refuses puts, is worked empty, and takes puts again") {
  const auto used = std::stoll(server.info("used_memory"));
  server.command({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  server.command({"CONFIG", "SET", "maxmemory", std::to_string(used + (8 << 20))});
  producer in(pool, {.name = "work"});
  const std::string body(1000, 'x');
  int accepted = 0;
  for (;;) {
    auto r = now(in.async_put(std::vector<put_item>(50, {.body = body}), {}, asio::use_future));
    if (!r) {
      CHECK(r.error().native() == "OOM");
      CHECK_FALSE(r.error().may_be_applied());
      break;
    }
    accepted += 50;
  }
  CHECK(ready() == accepted);
  consumer out(pool, {.name = "work", .concurrency = 8, .prefetch = 8, .lease = 1000ms});
  int done = 0, again = 0;
  while (done < accepted) {
    auto m = take(out);
    settle_request later = settle::retry;
    later.delay = 10ms;
    if (m.attempt() == 1 && again < 300) {
      CHECK(settled(m, later));
      ++again;
    } else {
      CHECK(settled(m));
      ++done;
    }
  }
  CHECK(until(patience, [&] { return is_empty(); }));
  REQUIRE(now(in.async_put({.body = body}, asio::use_future)));
  auto m = take(out);
  CHECK(settled(m));
  std::printf("%d messages until the server was full; all worked, %d of them after a retry\n", accepted, again);
}
