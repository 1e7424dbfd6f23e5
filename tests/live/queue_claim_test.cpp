/// Claims of many messages: each is settled by itself, the rest comes back with the lease of all; what is claimed ahead, or
/// waits at the server to be claimed, goes back when nobody wants it.

#include "live/queue_fixture.hpp"
#include "queue/protocol.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <algorithm>
#include <atomic>

using namespace corbel;
using namespace corbel::test;

namespace asio = boost::asio;

namespace {

/// Takes so many, all in one claim where they are there.
std::vector<message> take_all(consumer &c, int count) {
  std::vector<std::future<result<message>>> waiting;
  for (int i = 0; i < count; ++i) waiting.push_back(taking(c));
  std::vector<message> all;
  for (auto &f : waiting) {
    auto m = now(std::move(f));
    REQUIRE(m);
    all.push_back(std::move(*m));
  }
  return all;
}

}  // namespace

TEST_CASE_FIXTURE(queue_fixture, "of a claim that is lost only those messages come back that were not settled") {
  for (const std::size_t size : {std::size_t{1}, std::size_t{100000}}) {  // short ones, and such as are freed at once
    std::vector<put_item> items;
    for (int i = 0; i < 8; ++i) items.push_back({std::string(size, static_cast<char>('a' + i))});
    put(std::move(items));
    consumer first(pool, {.name = "work", .concurrency = 8, .lease = 1h});
    auto held = take_all(first, 8);
    REQUIRE(number({"HLEN", "work:holders"}) <= 2);
    for (auto i : {1, 4, 5}) CHECK(settled(held[static_cast<std::size_t>(i)]));
    CHECK(inflight() == 5);
    CHECK(settled(held[0], settle::hand_back));
    CHECK(ready() == 1);
    auto again = take_all(first, 1);
    CHECK(again[0].body() == held[0].body());
    CHECK(again[0].attempt() == 1);
    CHECK(settled(again[0]));
    for (const auto &m : held) end_lease(server, m.token());
    consumer second(pool, {.name = "work", .concurrency = 8, .lease = 300ms});
    auto rest = take_all(second, 4);
    std::string bodies;
    for (auto &m : rest) {
      CHECK(m.attempt() == 2);
      bodies += m.body().front();
      CHECK(settled(m));
    }
    CHECK(bodies == "cdgh");
    for (auto i : {2, 3, 6, 7}) CHECK_FALSE(settled(held[static_cast<std::size_t>(i)]));
    CHECK(is_empty());
  }
}

TEST_CASE_FIXTURE(queue_fixture, "a server without memory lets long messages of one claim be settled one by one") {
  put({{std::string(100000, '1')}, {std::string(100000, '2')}, {std::string(100000, '3')}});
  consumer out(pool, {.name = "work", .concurrency = 3});
  server.command({"CONFIG", "SET", "maxmemory", "1"});
  auto held = take_all(out, 3);
  CHECK(settled(held[1]));
  CHECK(settled(held[0], settle::bury));
  CHECK(settled(held[2], retry_at_once()));
  auto again = take(out);
  CHECK(again.attempt() == 2);
  CHECK(settled(again));
  CHECK(inflight() == 0);
}

TEST_CASE_FIXTURE(queue_fixture, "a claim ends at 8 MiB, wherever the long messages stand") {
  for (int longest = 0; longest < 3; ++longest) {
    std::vector<std::string> push{"LPUSH", "work"};
    for (int i = 0; i < 24; ++i) push.push_back(std::string(i % 3 == longest ? 3u << 20 : 10, 'x'));
    server.command(push);
    consumer out(pool, {.name = "work", .concurrency = 24, .lease = 1h});
    auto held = take_all(out, 24);
    for (const auto &claim : server.command({"KEYS", "work:claim:*"}).elements) {
      auto bytes = server.command({"MEMORY", "USAGE", claim.text, "SAMPLES", "0"}).number;
      CHECK(bytes < (12 << 20));
    }
    for (auto &m : held) CHECK(settled(m));
    CHECK(is_empty());
  }
}

TEST_CASE_FIXTURE(queue_fixture, "groups that other hands put are kept apart as soon as one is seen") {
  const auto element = [](const char *id) {
    return std::string(id) +
           "\x1f"
           "1732518000000\x1fg\n" +
           id;
  };
  server.command({"LPUSH", "work", element("1"), element("2"), element("3")});
  consumer out(pool, {.name = "work", .concurrency = 3, .lease = 1h});
  std::vector<std::future<result<message>>> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(taking(out));
  for (auto body : {"1", "2", "3"}) {
    auto m = now(std::move(waiting[static_cast<std::size_t>(body[0] - '1')]));
    REQUIRE(m);
    CHECK(m->body() == body);
    CHECK(m->attempt() == 1);
    CHECK(inflight() == 1);
    CHECK(settled(*m));
  }
  CHECK(is_empty());
}

TEST_CASE("scripts that the server forgot are loaded again, also by a claim that waits there") {
  redis_server server;
  std::atomic<int> troubles{0};
  runtime rt({.log = [&](const log_line &line) { troubles += line.text.find("cannot claim") != line.text.npos ? 1 : 0; }});
  redis_pool pool(rt, {.url = server.url()});
  producer in(pool, {.name = "work"});
  consumer out(pool, {.name = "work"});
  for (int i = 0; i < 3; ++i) {
    auto waiting = taking(out);
    REQUIRE(until(patience, [&] {
      const auto all = server.clients();
      return std::any_of(all.begin(), all.end(), [](const auto &c) { return c.find("cmd=blmove") != c.npos; });
    }));
    server.command({"SCRIPT", "FLUSH"});
    REQUIRE(now(in.async_put({.body = "x"}, asio::use_future)));
    auto m = now(std::move(waiting));
    REQUIRE(m);
    server.command({"SCRIPT", "FLUSH"});
    CHECK(settled(*m));
  }
  CHECK(rt.shutdown(5s));
  CHECK(troubles == 0);
}

TEST_CASE_FIXTURE(queue_fixture,
                  "what is settled again is known as settled before, whatever became of the rest of its claim") {
  using namespace corbel::detail;
  const auto protocol = make_native_protocol({.name = "work"});
  auto run = [&](script_call c) {
    auto r = now(async_run(pool, c.script, std::move(c.command), {}, asio::use_future));
    REQUIRE_MESSAGE(r, r.error().message());
    return std::move(*r);
  };
  auto settle_one = [&](settle how, const claimed_message &m) {
    const std::vector<settle_entry> one{{std::make_shared<const claimed_message>(m), "", "because"}};
    return protocol->read_settle(run(protocol->settle(how, one, "me")).root(), how, one).front();
  };
  for (auto how : {settle::done, settle::retry, settle::bury, settle::hand_back}) {
    put({{"1"}, {"2"}});
    const claim_request request{.most = 2, .claim = std::to_string(static_cast<int>(how)), .turns = {{0, 2}}};
    const auto reply = run(protocol->claim(request));
    const auto elements = now(pool.async_send(*protocol->read_elements(request), asio::use_future));
    REQUIRE(elements);
    const auto held = protocol->read_claim(reply.root(), *elements, request).messages;
    REQUIRE(held.size() == 2);
    CHECK(settle_one(how, held[0]) == 1);
    for (auto again : {settle::done, settle::retry, settle::bury, settle::hand_back})
      CHECK(settle_one(again, held[0]) == -1);
    end_lease(server, held[1].token);
    const reap_request reaping{.name = "reaper", .lease = 1h};
    for (int i = 0; i < 2; ++i) run(protocol->reap(reaping));  // the first pass may be left out
    for (auto again : {settle::done, settle::retry, settle::bury, settle::hand_back}) {
      CHECK(settle_one(again, held[0]) == -1);
      CHECK(settle_one(again, held[1]) == 0);
    }
    CHECK(inflight() == 0);
    server.command({"FLUSHALL"});
  }
}

TEST_CASE_FIXTURE(queue_fixture, "a drain takes the claim back that waits at the server, and nothing is counted") {
  for (int i = 0; i < 10; ++i) {
    consumer out(pool, {.name = "work", .lease = 1h});
    auto waiting = taking(out);
    REQUIRE(until(patience, [&] { return peeking() == 1; }));
    // What is put at the same moment is either worked by nobody, or was delivered before the drain.
    auto drained = out.async_drain({.timeout = patience}, asio::use_future);
    server.command({"LPUSH", "work", "x"});
    if (auto m = now(std::move(waiting)); m) CHECK(settled(*m, settle::hand_back));
    CHECK(now(std::move(drained)));
    REQUIRE(until(patience, [&] { return ready() == 1 && inflight() == 0; }));
    CHECK(number({"EXISTS", "work:attempts"}) == 0);
    server.command({"DEL", "work"});
  }
}

TEST_CASE_FIXTURE(queue_fixture, "who does not come again gives the claim up that waits at the server") {
  consumer out(pool, {.name = "work", .lease = 1h}), other(pool, {.name = "work", .lease = 1h});
  {
    asio::cancellation_signal stop;
    auto f = out.async_take(asio::bind_cancellation_slot(stop.slot(), asio::use_future));
    REQUIRE(until(patience, [&] { return peeking() == 1; }));
    stop.emit(asio::cancellation_type::terminal);
    CHECK(now(std::move(f)).error().is(status::cancelled));
  }
  put({{"x"}});
  auto m = take(other);
  CHECK(m.attempt() == 1);
  CHECK(settled(m));
  CHECK(until(patience, [&] { return peeking() == 0; }));
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(queue_fixture, "a user that may not SORT claims all the same") {
  server.command({"ACL", "SETUSER", "plain", "on", ">secret", "~*", "&*", "+@all", "-sort"});
  auto url = server.url();
  redis_pool plain(rt, {.url = url.insert(url.find("//") + 2, "plain:secret@")});
  put({{"1"}, {"2"}, {"3"}});
  consumer out(plain, {.name = "work", .concurrency = 3});
  auto held = take_all(out, 3);
  for (std::size_t i = 0; i < held.size(); ++i) {
    CHECK(held[i].body() == std::to_string(i + 1));
    CHECK(settled(held[i]));
  }
  CHECK(is_empty());
}
