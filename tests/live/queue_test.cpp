#include "live/queue_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <atomic>
#include <map>
#include <mutex>

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;

TEST_CASE_FIXTURE(queue_fixture, "messages are claimed in the order in which they were put") {
  auto receipt = put({{"one", "a"}, {"two", "b"}, {"three"}});
  CHECK(receipt.depth == 3);
  REQUIRE(receipt.ids.size() == 3);
  CHECK(receipt.ids[0] == "a");
  CHECK(receipt.ids[2].size() == 32);
  put({{"four", "d"}});
  producer in(pool, {.name = "work"});
  CHECK(now(in.async_depth({}, asio::use_future)).value() == 4);

  consumer out(pool, {.name = "work"});
  std::uint64_t token = 0;
  for (auto [id, body] : {std::pair("a", "one"), {"b", "two"}, {receipt.ids[2].c_str(), "three"}, {"d", "four"}}) {
    auto m = take(out);
    CHECK(m.id() == id);
    CHECK(m.body() == body);
    CHECK(m.attempt() == 1);
    CHECK(m.token() > token);
    token = m.token();
    CHECK(inflight() == 1);
    CHECK(settled(m));
  }
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(queue_fixture, "a consumer that waits is woken by a put") {
  consumer out(pool, {.name = "work", .concurrency = 2});
  auto first = taking(out), second = taking(out);
  REQUIRE(until(patience, [&] { return peeking() == 1; }));
  put({{"x"}});
  auto m = now(std::move(first));
  REQUIRE(m);
  CHECK(settled(*m));
  put({{"y"}});
  auto n = now(std::move(second));
  REQUIRE(n);
  CHECK(n->body() == "y");
  CHECK(settled(*n));
}

TEST_CASE_FIXTURE(queue_fixture,
                  "no more messages are out at once than concurrency allows, no more claimed than prefetch adds") {
  put({{"1"}, {"2"}, {"3"}, {"4"}, {"5"}, {"6"}});
  consumer out(pool, {.name = "work", .concurrency = 2, .prefetch = 1});
  auto a = take(out), b = take(out);
  auto third = taking(out);
  REQUIRE(until(patience, [&] { return inflight() == 3; }));
  CHECK(third.wait_for(0s) == std::future_status::timeout);
  CHECK(settled(a));
  auto c = now(std::move(third));
  REQUIRE(c);
  CHECK(c->body() == "3");
  REQUIRE(until(patience, [&] { return inflight() == 3; }));
  CHECK(ready() == 2);
  CHECK(settled(b));
  CHECK(settled(*c));
}

TEST_CASE_FIXTURE(queue_fixture, "many consumers work each message once when nothing dies") {
  constexpr int messages = 2000;
  std::mutex mutex;
  std::map<std::string, int> seen;
  std::atomic<int> done{0};
  std::vector<std::unique_ptr<runtime>> runtimes;
  std::vector<std::unique_ptr<redis_pool>> pools;
  std::vector<std::unique_ptr<consumer>> consumers;
  std::function<void(consumer &)> work = [&](consumer &c) {
    c.async_take([&](result<message> r) {
      if (!r) return;
      {
        std::lock_guard lock(mutex);
        ++seen[std::string(r->body())];
      }
      auto m = std::make_shared<message>(std::move(*r));
      m->async_settle(settle::done, {}, [&, m](result<bool> ours) {
        if (ours && *ours) ++done;
        work(c);
      });
    });
  };
  for (unsigned i = 0; i < 4; ++i) {
    runtimes.push_back(std::make_unique<runtime>());
    pools.push_back(std::make_unique<redis_pool>(*runtimes.back(), redis_options{.url = server.url()}));
    consumers.push_back(
        std::make_unique<consumer>(*pools.back(), queue_options{.name = "work", .concurrency = 8, .prefetch = i}));
    for (unsigned t = 0; t < 8 + i; ++t) work(*consumers.back());
  }
  for (int i = 0; i < messages; i += 100) {
    std::vector<put_item> items;
    for (int k = i; k < i + 100; ++k) items.push_back({std::to_string(k)});
    put(std::move(items));
  }
  CHECK(until(60s, [&] { return done == messages; }));
  for (auto &c : consumers) CHECK(drain(*c).value() == 0);
  CHECK(seen.size() == messages);
  for (auto &each : seen) REQUIRE_MESSAGE(each.second == 1, each.first);
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(queue_fixture, "a retry at once comes first and counts, a hand-back comes first and does not") {
  put({{"first"}, {"second"}});
  consumer out(pool, {.name = "work"});
  auto m = take(out);
  CHECK(settled(m, retry_at_once()));
  auto again = take(out);
  CHECK(again.body() == "first");
  CHECK(again.attempt() == 2);
  CHECK(settled(again, settle::hand_back));
  auto third = take(out);
  CHECK(third.body() == "first");
  CHECK(third.attempt() == 2);
  { message destroyed = std::move(third); }
  auto fourth = take(out);
  CHECK(fourth.body() == "first");
  CHECK(fourth.attempt() == 2);
  CHECK(settled(fourth));
  auto last = take(out);
  CHECK(last.body() == "second");
  CHECK(last.attempt() == 1);
  CHECK(settled(last));
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(queue_fixture, "a message is settled once") {
  put({{"x", "m"}});
  consumer out(pool, {.name = "work"});
  auto m = take(out);
  CHECK(settling(m, static_cast<settle>(5)).error().is(status::invalid));
  CHECK(settled(m));
  auto again = settling(m, settle::retry);
  CHECK(again.error().is(status::state));
  CHECK(again.error().message() == "message 'm' was settled before");
  CHECK(m.body() == "x");
  CHECK(ready() == 0);
}

TEST_CASE_FIXTURE(queue_fixture, "bodies are any bytes, also none") {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  const std::vector<std::string> bodies{all, "", "\n", "\r\n$5\r\n", std::string(3, '\0'), "id\nlike an element"};
  std::vector<put_item> items;
  for (auto &b : bodies) items.push_back({b});
  items.push_back({"under a long id", std::string(128, 'i')});
  put(items);
  consumer out(pool, {.name = "work"});
  for (auto &item : items) {
    auto m = take(out);
    CHECK(m.body() == item.body);
    CHECK(settled(m));
  }
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(queue_fixture, "a body of 16 MiB goes through, a larger one is refused in one clear line") {
  producer in(pool, {.name = "work"});
  auto refused = now(in.async_put({.body = std::string((16u << 20) + 1, 'x')}, asio::use_future));
  CHECK(refused.error().is(status::invalid));
  CHECK(refused.error().message() ==
        "the body of item 0 has 16777217 bytes: the limit is 16777216; put a reference to where it is kept");
  std::vector<put_item> five(5, {std::string(16u << 20, 'x')});
  auto together = now(in.async_put(five, {}, asio::use_future));
  CHECK(together.error().message() ==
        "the bodies of 5 items have 83886080 bytes together: the limit of one put is 67108864; put them in parts");
  CHECK(ready() == 0);

  five.resize(4);
  put(five);
  consumer out(pool, {.name = "work", .concurrency = 4});  // all four would pass the pool's limit of a reply
  std::vector<message> four;
  for (int i = 0; i < 4; ++i) four.push_back(take(out));
  for (auto &m : four) {
    CHECK(m.body() == five[0].body);
    CHECK(settled(m));
  }
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(queue_fixture, "wrong items and options are refused by name") {
  producer in(pool, {.name = "work"});
  auto why = [&](std::vector<put_item> items) {
    return now(in.async_put(std::move(items), {}, asio::use_future)).error().message();
  };
  CHECK(why({}) == "a put without items: give at least one");
  CHECK(why({{"a"}, {"b", "x\ny"}}) == "the id of item 1 has a control character: leave it out");
  CHECK(why({{"a", std::string(129, 'i')}}) == "the id of item 0 has 129 bytes: the limit is 128");
  auto text = [&](queue_options o) -> std::string {
    try {
      consumer c(pool, o);
    } catch (const failure &f) {
      CHECK(f.error().is(status::invalid));
      return f.what();
    }
    return "accepted";
  };
  CHECK(text({.name = ""}) == "the queue's name has 0 bytes: give 1 to 512, without control characters");
  CHECK(text({.concurrency = 0}) == "concurrency is 0: give 1 to 65536");
  CHECK(text({.prefetch = 70000}) == "prefetch is 70000: give 0 to 65536");
  CHECK(text({.lease = 99ms}) == "lease is 99 ms: give 100 to 86400000");
  CHECK_THROWS_AS(producer(pool, {.name = ""}), failure);
}

TEST_CASE_FIXTURE(queue_fixture, "two queues on one pool do not mix") {
  put({{"for one"}}, "one");
  put({{"for two"}}, "two");
  consumer one(pool, {.name = "one"}), two(pool, {.name = "two"});
  auto b = take(two), a = take(one);
  CHECK(a.body() == "for one");
  CHECK(b.body() == "for two");
  CHECK(settled(a));
  CHECK(inflight("two") == 1);
  CHECK(settled(b));
  CHECK((is_empty("one") && is_empty("two")));
}

TEST_CASE_FIXTURE(queue_fixture, "a take that is cancelled loses no message") {
  consumer out(pool, {.name = "work"});
  asio::cancellation_signal signal;
  auto f = out.async_take(asio::bind_cancellation_slot(signal.slot(), asio::use_future));
  signal.emit(asio::cancellation_type::terminal);
  CHECK(now(std::move(f)).error().is(status::cancelled));
  put({{"x"}});
  auto m = take(out);
  CHECK(m.attempt() == 1);
  CHECK(settled(m));
}
