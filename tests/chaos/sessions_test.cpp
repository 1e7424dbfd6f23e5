// 10,000 sessions that come and go while the server restarts.
#include "chaos/gated.hpp"

#include <future>
#include <random>
#include <set>

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
  /// False when the call failed: a subscribe that fails leaves the name unwanted.
  bool finish(int which) {
    if (!pending[which].valid()) return true;
    bool done = pending[which].wait_for(90s) == std::future_status::ready && pending[which].get().has_value();
    wanted[which] = wanted[which] && done;
    pending[which] = {};
    return done;
  }
};

using session_list = std::vector<std::unique_ptr<session>>;

/// Joins and leaves at random with its share of the sessions until it is over; how many calls failed.
std::size_t churn(session_list &sessions, std::size_t first, std::size_t last, const std::atomic<bool> &over) {
  std::mt19937 random(static_cast<unsigned>(first));
  std::size_t failed = 0;
  for (int round = 0; round < 5 || !over; ++round) {
    for (auto i = first; i < last; ++i) {
      for (int which : {0, 1}) {
        if (random() % 3 == 0) sessions[i]->start(which, !sessions[i]->wanted[which]);
      }
    }
    for (auto i = first; i < last; ++i)
      failed += static_cast<std::size_t>(!sessions[i]->finish(0)) + static_cast<std::size_t>(!sessions[i]->finish(1));
  }
  return failed;
}

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
  session_list sessions;
  for (int i = 0; i < 10000; ++i) sessions.push_back(std::make_unique<session>(pool, i));
  redis_subscription made(pool);
  subscribe(made, "witness").value();
  std::optional<subscription_reader> witness(std::in_place, std::move(made));

  std::atomic<bool> over = false;
  std::vector<std::future<std::size_t>> crowd;
  for (std::size_t first = 0; first < 10000; first += 2500)
    crowd.push_back(std::async(std::launch::async, [&, first] { return churn(sessions, first, first + 2500, over); }));
  for (std::size_t restarts = 1; restarts <= 10; ++restarts) {
    CAPTURE(restarts);
    CHECK(until(patience, [&] { return server.command({"PUBSUB", "CHANNELS"}).elements.size() > 1000; }));
    server.kill();
    server.start();
    CHECK(until(patience, [&] { return count(*witness, notice_kind::resubscribed) == restarts; }));
  }
  over = true;
  for (auto &c : crowd) CHECK(c.get() == 0);
  witness.reset();

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
