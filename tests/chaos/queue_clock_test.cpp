/// Clocks that jump by hours: the server's, and a worker's. Nothing is lost, nothing waits for hours, tokens grow.

#include "chaos/queue_workers.hpp"
#include "live/queue_fixture.hpp"
#include "support/fake_clock.hpp"

#include <cstdio>

using namespace corbel;
using namespace corbel::test;

namespace {

/// A server whose clock can be set.
struct clocked {
  fake_clock clock;
  redis_server server{{.variables = clock.variables()}};
  runtime rt;
  redis_pool pool{rt, {.url = server.url()}};
  temp_dir dir;

  void put(const std::string &id) {
    producer in(pool, {.name = "work"});
    REQUIRE(now(in.async_put({.body = "x", .id = id}, boost::asio::use_future)));
  }
  void set(std::chrono::seconds ahead) {
    clock.jump(ahead);
    const auto wanted = std::chrono::system_clock::now() + ahead;
    CHECK(until(patience, [&] {
      const auto told = std::stoll(server.command({"TIME"}).elements[0].text);
      return std::abs(told - std::chrono::system_clock::to_time_t(wanted)) < 60;
    }));
  }
};

/// Takes one message, says so, and holds it until it is killed. Arguments: url.
const other_process::role holder("holder", [](const std::vector<std::string> &a) {
  runtime rt;
  redis_pool pool(rt, {.url = a[0]});
  consumer out(pool, {.name = "work", .lease = 1000ms});
  auto m = out.async_take(boost::asio::use_future).get();
  if (!m || !pool.send(redis_command("SET", "held", m->id()))) return 1;
  for (;;) ::pause();
});

const queue_options one_second{.name = "work", .lease = 1000ms};

}  // namespace

TEST_CASE("tokens grow whatever the server's clock does") {
  clocked c;
  consumer out(c.pool, one_second);
  std::uint64_t token = 0;
  for (auto ahead : {0h, 5h, 0h, -5h, 24h, -24h}) {
    CAPTURE(ahead.count());
    c.set(ahead);
    c.put("m");
    auto m = take(out);
    CHECK(m.token() > token);
    token = m.token();
    CHECK(settled(m));
  }
}

TEST_CASE("a lease that was given when the server's clock was ahead ends soon after its holder died") {
  clocked c;
  c.set(5h);
  c.put("m");
  auto held = other_process::start("holder", {c.server.url()}, c.dir.file("log"));
  REQUIRE(until(patience, [&] { return c.server.command({"GET", "held"}).text == "m"; }));
  // Its reaper ran, so that it is the one that reaps.
  REQUIRE(until(patience, [&] { return c.server.command({"EXISTS", "work:reaper"}).number == 1; }));
  c.set(0h);
  held.kill();
  const auto killed = std::chrono::steady_clock::now();
  consumer out(c.pool, one_second);
  auto m = take(out);
  const auto waited = std::chrono::duration<double>(std::chrono::steady_clock::now() - killed).count();
  std::printf("the server's clock went back by 5 h; the message of a dead worker was back after %.1f s\n", waited);
  CHECK(m.id() == "m");
  CHECK(m.attempt() == 2);
  CHECK(settled(m));
}

TEST_CASE("a lease that was only renewed when the server's clock was ahead ends soon after its holder died") {
  clocked c;
  c.put("m");
  auto held = other_process::start("holder", {c.server.url()}, c.dir.file("log"));
  REQUIRE(until(patience, [&] { return c.server.command({"GET", "held"}).text == "m"; }));
  auto lease = [&] {
    const auto all = c.server.command({"ZRANGE", "work:leases", "0", "-1", "WITHSCORES"}).elements;
    return all.size() == 2 ? std::stod(all[1].text) : 0;
  };
  const auto before = lease();
  const auto tokens = c.server.command({"GET", "work:token"}).text;
  c.set(5h);
  REQUIRE(until(patience, [&] { return lease() > before + 3600000 || c.server.command({"LLEN", "work"}).number == 1; }));
  // A reaper has seen the new time.
  REQUIRE(until(patience, [&] { return c.server.command({"GET", "work:token"}).text != tokens; }));
  c.set(0h);
  held.kill();
  consumer out(c.pool, one_second);
  auto m = take(out);
  CHECK(m.id() == "m");
  CHECK(settled(m));
}

TEST_CASE("messages flow while the server's clock jumps: each is done, those who lose a lease are told") {
  clocked c;
  auto sender = other_process::start("producer", {c.server.url(), c.dir.file("sent"), "0", "100", "1"}, c.dir.file("log"));
  auto worker = other_process::start("consumer", {c.server.url(), c.dir.file("worked"), "16", "1000"}, c.dir.file("log"));
  int jumps = 0;
  for (auto ahead = 5h; sender.running(); ahead = -ahead) {
    c.set(ahead);
    ++jumps;
    const auto put = c.server.command({"LLEN", "work"}).number;
    until(300ms, [&] { return c.server.command({"LLEN", "work"}).number > put + 1000000; });
  }
  c.set(0h);
  CHECK(until(60s, [&] { return c.server.command({"EXISTS", "work", "work:inflight", "work:delayed"}).number == 0; }));
  worker.kill();
  std::set<std::string> ids, tokens;
  std::ifstream in(c.dir.file("worked"));
  int runs = 0;
  for (std::string word, first, token; in >> word >> first;) {
    if (word != "run") continue;
    in >> token;
    ids.insert(first);
    CHECK(tokens.insert(token).second);
    ++runs;
  }
  std::printf("%d jumps of the server's clock, %zu messages, %d runs\n", jumps, ids.size(), runs);
  CHECK(ids.size() == 100 * queue_workers::batch);
  CHECK(c.server.command({"ZCARD", "work:dead"}).number == 0);
}

TEST_CASE("a worker whose own clock jumps loses no lease and no message") {
  queue_fixture f;
  fake_clock clock;
  temp_dir dir;
  auto sender = other_process::start("producer", {f.server.url(), dir.file("sent"), "0", "60", "1"}, dir.file("log"));
  auto worker = other_process::start("consumer", {f.server.url(), dir.file("worked"), "16", "1000"}, dir.file("log"),
                                     clock.variables());
  for (auto ahead = 5h; sender.running(); ahead = -ahead) {
    clock.jump(ahead);
    sender.wait_for(200ms);
  }
  CHECK(until(60s, [&] { return f.is_empty(); }));
  worker.kill();
  std::map<std::string, int> ends;
  std::set<std::string> ids;
  std::ifstream in(dir.file("worked"));
  for (std::string word, first, token; in >> word >> first;) {
    ++ends[word];
    if (word == "run") in >> token, ids.insert(first);
  }
  CHECK(ids.size() == 60 * queue_workers::batch);
  CHECK(ends["run"] == 60 * queue_workers::batch);
  CHECK(ends["lost"] == 0);
  CHECK(ends["failed"] == 0);
}
