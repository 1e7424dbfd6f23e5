// 10,000 sessions that come and go while the server restarts.
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"
#include "support/resources.hpp"
#include "support/until.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <thread>

using namespace corbel;
using namespace corbel::test;
using change_of = redis_subscription::change;

namespace {

/// One session: a channel of its own, and one shared with others.
struct session {
  session(redis_pool &pool, int number)
      : sub(pool), names{"session:" + std::to_string(number), "room:" + std::to_string(number % 100)} {}
  redis_subscription sub;
  std::string names[2];
  bool wanted[2] = {false, false};
  std::future<result<bool>> pending[2];

  void start(int which, bool want) {
    pending[which] = sub.async_change(want ? change_of::subscribe : change_of::unsubscribe, names[which], {.timeout = 60s},
                                      boost::asio::use_future);
    wanted[which] = want;
  }
  bool finish(int which) {
    if (!pending[which].valid()) return true;
    auto r = come(std::move(pending[which]), 90s);
    if (!r && wanted[which]) wanted[which] = false;  // a subscribe that fails leaves the name unwanted
    return r.has_value();
  }
};

std::set<std::string> channels(redis_server &server) {
  std::set<std::string> all;
  for (auto &c : server.command({"PUBSUB", "CHANNELS"}).elements) all.insert(c.text);
  return all;
}

}  // namespace

TEST_CASE("10,000 sessions subscribing and leaving while the server restarts: both sides agree at the end") {
  redis_server server;
  runtime rt;
  redis_pool pool(rt, {.url = server.url()});
  CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
  auto descriptors = open_descriptors();
  auto memory = private_memory();
  std::vector<std::unique_ptr<session>> sessions;
  for (int i = 0; i < 10000; ++i) sessions.push_back(std::make_unique<session>(pool, i));

  std::atomic<int> restarts = 0;
  std::thread chaos([&] {
    for (; restarts < 10; ++restarts) {
      if (!until(patience, [&] {
            return pool.stats().subscriptions == 1 && server.command({"PUBSUB", "CHANNELS"}).elements.size() > 1000;
          }))
        break;
      server.kill();
      server.start();
    }
  });
  std::mt19937 random(3);
  std::size_t failed = 0;
  for (int round = 0; round < 5 || restarts < 10; ++round) {
    REQUIRE(round < 1000);
    for (auto &s : sessions) {
      for (int which : {0, 1}) {
        if (random() % 3 == 0) s->start(which, !s->wanted[which]);
      }
    }
    for (auto &s : sessions) failed += static_cast<std::size_t>(!s->finish(0)) + static_cast<std::size_t>(!s->finish(1));
  }
  chaos.join();
  CHECK(restarts == 10);
  CHECK(failed == 0);

  std::set<std::string> wanted;
  for (auto &s : sessions) {
    for (int which : {0, 1}) {
      if (s->wanted[which]) wanted.insert(s->names[which]);
    }
  }
  CHECK(wanted.size() > 1000);
  CHECK(until(patience, [&] { return channels(server) == wanted; }));

  for (auto &s : sessions) {
    if (!s->wanted[0]) continue;
    CHECK(server.command({"PUBLISH", s->names[0], "mark " + s->names[0]}).number == 1);
    bool heard = false;
    while (!heard) {
      auto batch = come(s->sub.async_receive(boost::asio::use_future));
      REQUIRE(batch);
      for (auto &n : *batch)
        heard = heard || (n.type == redis_notice::kind::message && n.payload() == "mark " + s->names[0]);
    }
  }
  sessions.clear();
  CHECK(until(patience, [&] { return channels(server).empty(); }));
  CHECK(open_descriptors() <= descriptors + 1);  // the connection for subscriptions
  if (!sanitized()) CHECK(private_memory() < memory + (64u << 20));
}
