/// Leases on the platform's queue that end: renewal, our reaper beside the platform's workers, its reaper beside ours.

#include "queue_platform_fixture.hpp"

#include <fstream>
#include <unistd.h>

using namespace corbel;
using namespace corbel::test;

namespace {

struct reap_fixture : platform_fixture {
  void enqueue(const std::string &id, const std::string &conversation = "") {
    platform_enqueue(server, "registered", platform_task(id, conversation));
  }
  static protocol_ptr interrupting() {
    auto o = options();
    o.crashed = after_crash::interrupt;
    return protocol(o);
  }
  detail::reap_answer reap_interrupting() { return reap(interrupting(), {.name = "me", .crashed = after_crash::interrupt}); }
  /// As if our reaper had seen it without a lock long ago.
  void seen_before(const std::string &id) { server.command({"ZADD", "t:p:corbel:queue:unlocked", a_minute_ago(), id}); }
  static std::string a_minute_ago() {
    const auto then = std::chrono::system_clock::now().time_since_epoch() - 60s;
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(then).count());
  }
  /// Our process dies: its locks end with their time.
  void die(const detail::claimed_ptr &m) {
    expire(m->id);
    if (!m->group.empty()) server.command({"DEL", platform_conversation_lock("u", m->group)});
  }
};

/// Of the processor, that the server has used.
std::chrono::microseconds server_time(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string skipped;
  std::getline(in, skipped, ')');
  for (int i = 0; i < 11; ++i) in >> skipped;
  long user = 0, system = 0;
  in >> user >> system;
  return std::chrono::microseconds((user + system) * 1000000 / ::sysconf(_SC_CLK_TCK));
}

}  // namespace

TEST_CASE("a renewed lease lasts; one that is past its end holds on while nobody took the message") {
  reap_fixture f;
  f.enqueue("a", "c");
  auto m = f.claim_one(1s);
  CHECK(f.lost_by_renewal(m, 60s) == 0);
  CHECK(f.server.command({"PTTL", platform_lock + "a"}).number > 50000);
  CHECK(f.server.command({"PTTL", platform_conversation_lock("u", "c")}).number > 50000);
  f.die(m);
  CHECK(f.lost_by_renewal(m) == 0);
  CHECK(f.exists(platform_lock + "a"));
  CHECK(f.exists(platform_conversation_lock("u", "c")));
  f.die(m);
  CHECK(f.settle(settle::done, m) == 1);
}

TEST_CASE("what a dead process of ours held comes back, and its token settles nothing any more") {
  reap_fixture f;
  for (const char *id : {"a", "b"}) f.enqueue(id, "c");
  auto a = f.claim_one();
  CHECK(f.claim().messages.empty());  // b waits for its conversation
  CHECK(f.reap().back == 0);
  f.die(a);
  CHECK(f.reap().back == 1);
  CHECK(f.lost_by_renewal(a) == 1);
  for (auto how : {settle::done, settle::retry, settle::bury, settle::hand_back}) CHECK(f.settle(how, a) == 0);
  auto again = f.claim_one();
  CHECK(again->id == "a");
  CHECK(again->attempt == 2);
  CHECK(again->token > a->token);
  CHECK(f.settle(settle::done, a) == 0);  // although the lock has the same value
  CHECK(f.exists(platform_lock + "a"));
  CHECK(f.settle(settle::done, again) == 1);
  CHECK(f.claim_one()->id == "b");
}

TEST_CASE("after too many attempts what comes back is dead") {
  reap_fixture f;
  f.enqueue("a");
  f.die(f.claim_one());
  CHECK(f.reap(f.ours, {.name = "me", .max_attempts = 2}).back == 1);
  f.die(f.claim_one());
  CHECK(f.reap(f.ours, {.name = "me", .max_attempts = 2}).buried == 1);
  auto page = f.dead();
  REQUIRE(page.messages.size() == 1);
  CHECK(page.messages[0].reason == "attempt 2 of 2: its lease ended");
  CHECK(page.messages[0].history.size() == 2);
}

TEST_CASE("where started work is interrupted it is not worked again, but told") {
  reap_fixture f;
  f.enqueue("a", "c");
  f.enqueue("b", "c");
  auto m = f.claim_one(f.interrupting());
  CHECK(f.claim().messages.empty());
  f.die(m);
  auto answer = f.reap_interrupting();
  CHECK(answer.back == 0);
  REQUIRE(answer.interrupted.size() == 1);
  CHECK(answer.interrupted[0].id == "a");
  CHECK(answer.interrupted[0].body == m->delivered());
  CHECK_FALSE(f.exists(platform_lock + "started:a"));
  CHECK(f.dead().messages.at(0).reason == "interrupted: its worker was lost");
  CHECK(f.claim_one()->id == "b");
}

TEST_CASE("a worker of the platform between its move and its lock is left alone") {
  reap_fixture f;
  f.enqueue("a", "c");
  auto task = f.theirs.move("registered");
  REQUIRE(task);
  CHECK(f.reap().back == 0);
  CHECK(f.reap().back == 0);
  REQUIRE(f.theirs.lock(*task));
  f.seen_before("a");
  CHECK(f.reap().back == 0);
  f.theirs.acknowledge(*task);
  CHECK(f.stats().ready + f.stats().in_flight == 0);
}

TEST_CASE("what a dead worker of the platform held comes back when it was seen without a lock for long") {
  reap_fixture f;
  f.enqueue("moved");
  f.enqueue("started");
  f.theirs.move("registered");
  auto task = f.theirs.claim("registered");
  f.theirs.start(*task);
  f.expire("started");
  CHECK(f.reap().back == 0);
  for (const char *id : {"moved", "started"}) f.seen_before(id);
  SUBCASE("both, where the queue retries") {
    CHECK(f.reap().back == 2);
    CHECK_FALSE(f.exists(platform_lock + "started:started"));
    auto got = f.claim();
    REQUIRE(got.messages.size() == 2);
    CHECK(got.messages[0].id == "moved");  // the oldest first
    CHECK(got.messages[0].attempt == 2);
  }
  SUBCASE("but not what was started, where it interrupts") {
    auto answer = f.reap_interrupting();
    CHECK(answer.back == 1);
    REQUIRE(answer.interrupted.size() == 1);
    CHECK(answer.interrupted[0].id == "started");
  }
}

TEST_CASE("the platform's reaper leaves what we work alone, and what we lost is run once") {
  reap_fixture f;
  f.enqueue("a", "c");
  auto m = f.claim_one();
  CHECK(f.theirs.reap().back == 0);
  CHECK(f.lost_by_renewal(m) == 0);
  f.die(m);
  CHECK(f.theirs.reap().back == 1);
  auto task = f.theirs.claim("registered");
  REQUIRE(task);
  CHECK(f.claim().messages.empty());
  CHECK(f.lost_by_renewal(m) == 1);
  CHECK(f.settle(settle::done, m) == 0);
  CHECK(f.exists(platform_lock + "a"));  // theirs
  CHECK(f.theirs.in_flight("registered") == 1);
  f.theirs.acknowledge(*task);
  CHECK(f.stats().ready + f.stats().in_flight + f.stats().parked == 0);
}

TEST_CASE("what the platform's reaper put back and the same process of ours took again is held under the new token alone") {
  reap_fixture f;
  f.enqueue("a");
  auto old = f.claim_one();
  f.die(old);
  CHECK(f.theirs.reap().back == 1);
  auto again = f.claim_one();
  CHECK(f.lost_by_renewal(old) == 1);
  CHECK(f.settle(settle::done, old) == 0);
  CHECK(f.lost_by_renewal(again) == 0);
  CHECK(f.settle(settle::done, again) == 1);
}

TEST_CASE("what the platform's reaper put back is lost, although nobody has taken it yet") {
  reap_fixture f;
  f.enqueue("a", "c");
  auto m = f.claim_one();
  f.die(m);
  CHECK(f.theirs.reap().back == 1);
  CHECK(f.lost_by_renewal(m) == 1);
  CHECK_FALSE(f.exists(platform_lock + "a"));
  CHECK(f.claim_one()->attempt == 1);
}

TEST_CASE("a started message of ours that the platform's reaper dropped is nobody's") {
  reap_fixture f;
  f.enqueue("a", "c");
  auto m = f.claim_one(f.interrupting());
  f.die(m);
  CHECK(f.theirs.reap().interrupted == 1);
  CHECK(f.reap_interrupting().interrupted.empty());
  CHECK(f.lost_by_renewal(m) == 1);
  CHECK(f.settle(settle::done, m) == 0);
  CHECK_FALSE(f.exists("t:p:corbel:queue:holders"));
  CHECK_FALSE(f.exists("t:p:corbel:queue:tasks"));
}

TEST_CASE("both reapers over the same dead message bring it back once") {
  reap_fixture f;
  f.enqueue("a");
  const std::string body(f.claim_one()->element);
  f.expire("a");
  // The platform's reaper has read the list and the lock; ours is quicker.
  CHECK(f.reap().back == 1);
  auto again = f.claim_one();
  f.theirs.put_back({"registered", body, "a", ""});
  CHECK(f.theirs.claim("registered") == std::nullopt);  // it is locked
  CHECK(f.claim().messages.empty());
  CHECK(f.settle(settle::done, again) == 1);
  CHECK(f.stats().ready + f.stats().in_flight + f.stats().parked == 0);
}

TEST_CASE("only one reaps at a time") {
  reap_fixture f;
  CHECK(f.reap().ours);
  CHECK_FALSE(f.reap(f.ours, {.name = "another"}).ours);
  f.server.command({"DEL", "t:p:corbel:queue:reaper"});
  CHECK(f.reap(f.ours, {.name = "another"}).ours);
}

TEST_CASE("what is acknowledged after its lock has ended is locked for a while all the same") {
  reap_fixture f;
  f.enqueue("t1", "talk");
  const auto m = f.claim_one();
  f.die(m);  // as where its holder renews late, while the platform's reaper has just read the list
  CHECK(f.settle(settle::done, m) == 1);
  const auto ttl = f.server.command({"PTTL", platform_lock + "t1"}).number;
  CHECK(ttl > 0);
  CHECK(ttl <= 3000);
}

TEST_CASE("a pass that comes late leaves the locks that ended meanwhile to those who renew them") {
  reap_fixture f;
  f.enqueue("t1", "talk");
  const auto m = f.claim_one();
  CHECK(f.reap().back == 0);
  // The server stood still for a minute, in which no one could renew.
  const auto reaper = "t:p:corbel:queue:reaper";
  const auto now = f.server.command({"TIME"}).elements.at(0).text;
  f.server.command({"SET", reaper, "me " + now + "000 " + std::to_string(std::stoll(now) - 60) + "000 0"});
  f.die(m);
  const auto pass = [&] { return f.ours->read_reap(f.run(f.ours->reap({.name = "me"})).root()); };
  SUBCASE("its holder lives") {
    CHECK(pass().back == 0);
    CHECK(f.lost_by_renewal(m) == 0);
    CHECK(pass().back == 0);
    CHECK(f.settle(settle::done, m) == 1);
  }
  SUBCASE("its holder is dead") {
    CHECK(pass().back == 0);
    CHECK(pass().back == 1);
  }
}

TEST_CASE("a pass over 100,000 messages in flight never holds the server up for more than 5 ms") {
  reap_fixture f;
  const std::string fill =
      "local lane, first, last, body, lock = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4] "
      "for i = first, last do "
      "redis.call('LPUSH', lane, (string.gsub(body, 'ID', 'n' .. i))) "
      "if i % 2 == 0 then redis.call('SET', lock .. 'n' .. i, 'x') "
      "else redis.call('ZADD', 't:p:corbel:queue:unlocked', ARGV[5], 'n' .. i) end end";
  const auto body = platform_task("ID", "", "registered", R"(, "fill": ")" + std::string(600, 'x') + "\"");
  for (int i = 0; i < 100000; i += 1000)
    f.server.command({"EVAL", fill, "1", platform_queue + "inflight:registered", std::to_string(i), std::to_string(i + 999),
                      body, platform_lock, f.a_minute_ago()});
  f.server.command({"CONFIG", "SET", "slowlog-log-slower-than", "5000"});
  f.server.command({"SLOWLOG", "RESET"});
  detail::reap_request how{.name = "me"};
  CHECK(f.ours->read_reap(f.run(f.ours->reap(how)).root()).back == 0);  // the first of all, as after an outage
  const auto before = server_time(f.server.pid());
  std::uint64_t back = 0, steps = 0;
  do {
    auto step = f.ours->read_reap(f.run(f.ours->reap(how)).root());
    back += step.back;
    how.cursor = step.cursor;
    ++steps;
  } while (how.cursor != 0);
  const auto each = (server_time(f.server.pid()) - before) / steps;
  const auto longer = f.server.command({"SLOWLOG", "LEN"}).number;
  MESSAGE(steps << " steps of " << each.count() << " us; by the clock longer than 5 ms: " << longer);
  CHECK(back == 50000);
  CHECK(f.theirs.in_flight("registered") == 50000);
  CHECK(each < 5ms);
  CHECK(longer <= static_cast<long long>(steps) / 5);  // a busy machine stops the server too
}
