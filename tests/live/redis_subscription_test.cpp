// Subscriptions: confirmed, counted, bounded, and kept over reconnects.
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"
#include "support/subscription_reader.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace corbel;
using namespace corbel::test;
using change_of = redis_subscription::change;
using kind = redis_notice::kind;

namespace {

struct fixture {
  redis_server server;
  runtime rt;
  redis_pool pool{rt, {.url = server.url()}};

  long long subscribers(const std::string &channel) {
    return server.command({"PUBSUB", "NUMSUB", channel}).elements.at(1).number;
  }
  long long publish(const std::string &channel, const std::string &payload) {
    return server.command({"PUBLISH", channel, payload}).number;
  }
  long calls(const std::string &command) {
    try {
      auto line = server.info("cmdstat_" + command);
      return std::stol(line.substr(line.find("calls=") + 6));
    } catch (const std::runtime_error &) {
      return 0;
    }
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "subscribe completes when the server has confirmed") {
  for (int i = 0; i < 50; ++i) {
    redis_subscription sub(pool);
    auto channel = "news:" + std::to_string(i);
    CHECK(subscribe(sub, channel).value());
    CHECK(subscribers(channel) == 1);
    CHECK(publish(channel, "hello") == 1);
    auto batch = come(sub.async_receive(boost::asio::use_future));
    REQUIRE(batch);
    REQUIRE(batch->size() == 1);
    CHECK(batch->front().channel() == channel);
    CHECK(batch->front().payload() == "hello");
    CHECK_FALSE(batch->front().is_pattern());
    CHECK(batch->front().dropped == 0);
  }
}

TEST_CASE_FIXTURE(fixture, "a pattern") {
  redis_subscription made(pool);
  CHECK(change(made, change_of::psubscribe, "news.*").value());
  CHECK(server.command({"PUBSUB", "NUMPAT"}).number == 1);
  subscription_reader reader(std::move(made));
  CHECK(publish("news.sport", "goal") == 1);
  CHECK(publish("olds.sport", "none") == 0);
  CHECK(publish("news.", "end") == 1);
  REQUIRE(reader.wait_for_payload("end"));
  auto seen = reader.seen();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].pattern == "news.*");
  CHECK(seen[0].channel == "news.sport");
  CHECK(seen[0].payload == "goal");
  CHECK(change(reader.subscription(), change_of::punsubscribe, "news.*").value());
  CHECK(server.command({"PUBSUB", "NUMPAT"}).number == 0);
}

TEST_CASE_FIXTURE(fixture, "names and payloads are any bytes") {
  std::string odd("\0\r\n*[\xff", 6);
  redis_subscription made(pool);
  CHECK(subscribe(made, odd).value());
  subscription_reader reader(std::move(made));
  std::string big(4 << 20, 'b');
  for (auto &payload : {odd, std::string(), big}) {
    CHECK(publish(odd, payload) == 1);
    auto n = reader.wait_for_payload(payload);
    REQUIRE(n);
    CHECK(n->channel == odd);
  }
}

TEST_CASE_FIXTURE(fixture, "a name wanted by many is asked for once, and left with the last") {
  redis_subscription first(pool), second(pool), third(pool);
  CHECK(subscribe(first, "shared").value());
  CHECK_FALSE(subscribe(second, "shared").value());
  CHECK_FALSE(subscribe(third, "shared").value());
  CHECK(calls("subscribe") == 1);
  CHECK(subscribers("shared") == 1);
  CHECK(server.clients(":redis").size() == 2);  // the pipeline and one connection for all subscriptions
  CHECK(pool.stats().subscriptions == 1);

  CHECK(publish("shared", "one") == 1);
  for (auto *s : {&first, &second, &third}) {
    auto batch = come(s->async_receive(boost::asio::use_future));
    CHECK(batch.value().front().payload() == "one");
  }
  CHECK_FALSE(unsubscribe(first, "shared").value());
  { auto gone = std::move(second); }
  CHECK(subscribers("shared") == 1);
  CHECK(publish("shared", "two") == 1);
  CHECK(come(third.async_receive(boost::asio::use_future)).value().front().payload() == "two");
  CHECK(unsubscribe(third, "shared").value());
  CHECK(subscribers("shared") == 0);
  CHECK(calls("unsubscribe") == 1);
}

TEST_CASE_FIXTURE(fixture, "what was left does not come any more") {
  redis_subscription made(pool);
  subscribe(made, "a").value();
  subscribe(made, "b").value();
  subscription_reader reader(std::move(made));
  publish("a", "1");
  REQUIRE(reader.wait_for_payload("1"));
  CHECK(unsubscribe(reader.subscription(), "a").value());
  publish("a", "2");
  publish("b", "3");
  REQUIRE(reader.wait_for_payload("3"));
  CHECK(reader.payloads() == std::vector<std::string>{"1", "3"});
}

TEST_CASE_FIXTURE(fixture, "a slow reader loses the oldest and is told how many") {
  redis_subscription slow(pool, 10), witness(pool);
  subscribe(slow, "flood").value();
  subscribe(witness, "flood").value();
  subscription_reader all(std::move(witness));
  for (int i = 0; i < 100; ++i) publish("flood", std::to_string(i));
  REQUIRE(all.wait_for_payload("99"));
  CHECK(all.payloads().size() == 100);

  auto batch = come(slow.async_receive(boost::asio::use_future)).value();
  REQUIRE(batch.size() == 10);
  CHECK(batch.front().dropped == 90);
  CHECK(batch.front().payload() == "90");
  CHECK(batch.back().payload() == "99");
  CHECK(std::all_of(batch.begin() + 1, batch.end(), [](auto &n) { return n.dropped == 0; }));

  publish("flood", "100");
  auto next = come(slow.async_receive(boost::asio::use_future)).value();
  CHECK(next.front().payload() == "100");
  CHECK(next.front().dropped == 0);
}

TEST_CASE_FIXTURE(fixture, "destroying a subscription leaves its names and ends its receive") {
  std::future<result<std::vector<redis_notice>>> pending;
  {
    redis_subscription sub(pool);
    subscribe(sub, "a").value();
    change(sub, change_of::psubscribe, "p*").value();
    pending = sub.async_receive(boost::asio::use_future);
  }
  auto e = come(std::move(pending)).error();
  INFO(said(e));
  CHECK(e.is(status::cancelled));
  CHECK(until(10s, [&] { return subscribers("a") == 0 && server.command({"PUBSUB", "NUMPAT"}).number == 0; }));
}

TEST_CASE_FIXTURE(fixture, "one receive at a time") {
  redis_subscription sub(pool);
  subscribe(sub, "a").value();
  auto first = sub.async_receive(boost::asio::use_future);
  CHECK(come(sub.async_receive(boost::asio::use_future)).error().is(status::state));
  publish("a", "x");
  CHECK(come(std::move(first)).value().front().payload() == "x");
}

TEST_CASE_FIXTURE(fixture, "a closed pool ends the receive and refuses names") {
  redis_subscription sub(pool);
  subscribe(sub, "a").value();
  auto pending = sub.async_receive(boost::asio::use_future);
  CHECK_FALSE(come(pool.async_close({.timeout = 5s}, boost::asio::use_future)).error());
  CHECK(come(std::move(pending)).error().is(status::closed));
  CHECK(subscribe(sub, "b").error().is(status::closed));
  CHECK(come(sub.async_receive(boost::asio::use_future)).error().is(status::closed));
}

TEST_CASE_FIXTURE(fixture, "after a loss: gap, then resubscribed, then messages of the next epoch") {
  redis_subscription made(pool);
  subscribe(made, "a").value();
  change(made, change_of::psubscribe, "p*").value();
  subscription_reader reader(std::move(made));
  publish("a", "before");
  REQUIRE(reader.wait_for_payload("before"));
  server.kill();
  REQUIRE(reader.wait_for([](auto &n) { return n.type == kind::gap; }));
  server.start();
  REQUIRE(reader.wait_for([](auto &n) { return n.type == kind::resubscribed; }));
  CHECK(publish("a", "after") == 1);
  CHECK(publish("pq", "pattern") == 1);
  REQUIRE(reader.wait_for_payload("pattern"));
  auto seen = reader.seen();
  REQUIRE(seen.size() == 5);
  CHECK(seen[0].epoch == 1);
  CHECK(seen[1].type == kind::gap);
  CHECK(seen[2].type == kind::resubscribed);
  CHECK(seen[2].epoch == 2);
  CHECK(seen[3].payload == "after");
  CHECK(seen[3].epoch == 2);
  CHECK(seen[4].epoch == 2);
}

TEST_CASE_FIXTURE(fixture, "2,000 names are all there again after a loss, and only those") {
  redis_subscription made(pool);
  std::vector<std::future<result<bool>>> all;
  for (int i = 0; i < 2000; ++i) all.push_back(made.async_subscribe("c" + std::to_string(i), boost::asio::use_future));
  for (auto &f : all) CHECK(come(std::move(f)).value());
  CHECK(unsubscribe(made, "c7").value());
  subscription_reader reader(std::move(made));
  server.kill();
  server.start();
  REQUIRE(reader.wait_for([](auto &n) { return n.type == kind::resubscribed; }));
  CHECK(server.command({"PUBSUB", "CHANNELS"}).elements.size() == 1999);
  CHECK(subscribers("c7") == 0);
}

TEST_CASE_FIXTURE(fixture, "after the last name was left, and the connection given back, subscribing works again") {
  redis_subscription sub(pool);
  for (int i = 0; i < 5; ++i) {
    CHECK(subscribe(sub, "a").value());
    CHECK(publish("a", "x") == 1);
    CHECK(unsubscribe(sub, "a").value());
    CHECK(until(10s, [&] { return pool.stats().subscriptions == 0; }));
  }
}

TEST_CASE("a channel that the server forbids is told, unwanted, and harms no other") {
  redis_server server({.acl = {"user default on nopass ~* resetchannels &ok:* &later +@all"}});
  runtime rt;
  redis_pool pool(rt, {.url = server.url()});
  redis_subscription made(pool);
  CHECK(subscribe(made, "ok:first").value());
  for (int round = 0; round < 5; ++round) {
    std::vector<std::future<result<bool>>> allowed, forbidden;
    for (int i = 0; i < 20; ++i) {
      auto name = std::to_string(round) + ":" + std::to_string(i);
      allowed.push_back(made.async_subscribe("ok:" + name, boost::asio::use_future));
      forbidden.push_back(made.async_subscribe("no:" + std::to_string(i), boost::asio::use_future));
    }
    for (auto &f : allowed) CHECK(said(come(std::move(f)).error()) == "ok");
    for (auto &f : forbidden) {
      auto e = come(std::move(f)).error();
      INFO(said(e));
      CHECK(e.is(status::refused));
      CHECK(e.native() == "NOPERM");
    }
  }
  CHECK(subscribe(made, "later").value());
  server.command(
      {"ACL", "SETUSER", "default", "resetchannels", "&ok:*"});  // ends connections with a channel that is forbidden now
  subscription_reader reader(std::move(made));
  CHECK(until(10s, [&] { return server.command({"PUBSUB", "CHANNELS"}).elements.size() == 101; }));
  for (int i = 0; i < 3; ++i) {
    server.command({"CLIENT", "KILL", "TYPE", "pubsub"});
    CHECK(until(10s, [&] { return server.command({"PUBSUB", "CHANNELS"}).elements.size() == 101; }));
  }
  CHECK(server.command({"PUBLISH", "ok:4:19", "x"}).number == 1);
  CHECK(reader.wait_for_payload("x"));
}

TEST_CASE_FIXTURE(fixture, "subscribe waits for a server that is not there yet, until its deadline") {
  server.kill();
  redis_pool early(rt, {.url = server.url()});
  redis_subscription sub(early);
  auto e = subscribe(sub, "late", {.timeout = 100ms}).error();
  INFO(said(e));
  CHECK(e.is(status::unavailable));
  auto waits = sub.async_change(change_of::subscribe, "soon", {.timeout = 20s}, boost::asio::use_future);
  server.start();
  CHECK(come(std::move(waits)).value());
  CHECK(subscribers("soon") == 1);
  CHECK(subscribers("late") == 0);
}

TEST_CASE_FIXTURE(fixture, "a subscribe that times out on a server that does not answer leaves the name unwanted") {
  redis_subscription sub(pool);
  subscribe(sub, "a").value();
  server.pause();
  CHECK_FALSE(subscribe(sub, "b", {.timeout = 200ms}));
  server.resume();
  CHECK(until(10s, [&] { return subscribers("b") == 0 && subscribers("a") == 1; }));
  CHECK(subscribe(sub, "b", {.timeout = 10s}));
  CHECK(subscribers("b") == 1);
}

TEST_CASE_FIXTURE(fixture, "who leaves all names and comes back has missed nothing") {
  redis_subscription sub(pool);
  for (int i = 0; i < 3; ++i) {
    subscribe(sub, "a").value();
    CHECK(publish("a", "x") == 1);
    auto first = come(sub.async_receive(boost::asio::use_future)).value().front();
    CHECK(first.type == redis_notice::kind::message);
    unsubscribe(sub, "a").value();
    REQUIRE(until(10s, [&] { return pool.stats().subscriptions == 0; }));
  }
}

TEST_CASE_FIXTURE(fixture, "joining and leaving one name over and over ends where the last call says") {
  redis_subscription sub(pool);
  std::vector<std::future<result<bool>>> all;
  for (int i = 0; i < 501; ++i)
    all.push_back(
        sub.async_change(i % 2 ? change_of::unsubscribe : change_of::subscribe, "flip", {}, boost::asio::use_future));
  for (auto &f : all) CHECK(come(std::move(f)));
  CHECK(subscribers("flip") == 1);
  CHECK(publish("flip", "x") == 1);
  auto first = come(sub.async_receive(boost::asio::use_future)).value().front();
  CHECK(first.type == redis_notice::kind::message);
  CHECK(first.payload() == "x");
}
