/// The platform's queue while our consumers are killed at random, beside the platform's reaper, or while Redis is killed
/// too: every message is done, and every one that was worked twice has a cause.

#include "chaos/queue_workers.hpp"
#include "support/platform_lane.hpp"
#include "support/redis_server.hpp"
#include "support/until.hpp"

#include <atomic>
#include <cstdio>
#include <random>
#include <thread>
#include <unordered_map>

using namespace corbel;
using namespace corbel::test;

namespace {

constexpr int messages = 12000, conversations = 60, consumers = 3;

/// Works until it is killed. Arguments: url, journal, concurrency.
int consume(const std::vector<std::string> &a) {
  queue_workers::journal out(a[1]);
  runtime rt;
  redis_pool pool(rt, {.url = a[0]});
  const auto width = static_cast<std::uint32_t>(std::stoi(a[2]));
  consumer from(pool, {.layout = queue_layout::platform,
                       .tenant = "t",
                       .project = "p",
                       .max_attempts = unbounded,
                       .concurrency = width,
                       .prefetch = width,
                       .lease = std::chrono::seconds(1)});
  for (std::uint32_t i = 0; i < width; ++i)
    boost::asio::co_spawn(pool.executor(), queue_workers::work(from, out), boost::asio::detached);
  for (;;) ::pause();
}
const other_process::role role("platform consumer", consume);

struct fate {
  int runs = 0, done = 0, lost = 0, failed = 0;
  int unanswered() const { return runs - done - lost - failed; }
};

void read_journal(const std::string &path, std::unordered_map<std::string, fate> &all) {
  std::unordered_map<std::string, std::string> ids;  // by token
  std::ifstream in(path);
  for (std::string word, first, token; in >> word >> first;) {
    if (word == "run") {
      in >> token;
      ids[token] = first;
      ++all[first].runs;
      continue;
    }
    auto &f = all[ids[first]];
    ++(word == "done" ? f.done : word == "lost" ? f.lost : f.failed);
  }
}

struct crowd {
  explicit crowd(redis_server &s) : server(s) {
    for (int c = 0; c < consumers; ++c) start(c);
  }
  std::string journal(int number) const { return dir.file("consumer" + std::to_string(number)); }
  void start(int c) {
    workers[c] = other_process::start("platform consumer", {server.url(), journal(started++), "8"}, dir.file("log"));
  }
  void kill_one(std::mt19937 &random) {
    const int victim = std::uniform_int_distribution<int>(0, consumers - 1)(random);
    workers[victim].kill();
    start(victim);
  }

  redis_server &server;
  temp_dir dir;
  child_process workers[consumers];
  int started = 0;
};

long long left(redis_server &server) {
  auto sum = server.command({"HLEN", "t:p:corbel:queue:holders"}).number;
  for (const char *key : {"registered", "inflight:registered"}) sum += server.command({"LLEN", platform_queue + key}).number;
  const auto parked = server.command({"GET", "t:p:corbel:queue:parked"}).text;
  return sum + (parked.empty() ? 0 : std::stoll(parked));
}

}  // namespace

TEST_CASE("our consumers are killed: every message is done, duplicates are explained") {
  bool reap_too = false, kill_server = false;
  SUBCASE("beside the platform's reaper") { reap_too = true; }
  SUBCASE("and Redis is killed too") { kill_server = true; }

  redis_server server({.append_only = true, .arguments = {"--appendfsync", "always"}});
  for (int i = 0; i < messages; ++i)
    platform_enqueue(server, "registered", platform_task("m" + std::to_string(i), "c" + std::to_string(i % conversations)),
                     {.capacity = 1000000});
  crowd c(server);
  std::atomic<bool> stop{false};
  std::size_t put_back = 0;
  std::unordered_map<std::string, std::string> told;  // what the platform's reaper found
  std::unordered_map<std::string, int> raced;         // by the platform's reaper, whose steps are apart
  std::thread reaper([&] {
    platform_worker theirs(server);
    while (reap_too && !stop) {
      const auto pass = theirs.reap();
      put_back += pass.back;
      for (auto &id : pass.raced) ++raced[id];
      for (auto &[id, what] : pass.told) told[id] += ", " + what;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));  // its pause between passes
    }
  });
  std::mt19937 random(11);
  const auto began = std::chrono::steady_clock::now();
  int server_kills = 0, kills = 0;
  const auto end = began + std::chrono::seconds(150);
  while (left(server) > 0 && std::chrono::steady_clock::now() < end) {
    c.kill_one(random);
    if (kill_server && ++kills % 4 == 0 && server_kills < 5) {
      server.kill();
      server.start();
      ++server_kills;
    }
    until(std::chrono::milliseconds(std::uniform_int_distribution<int>(300, 900)(random)),
          [&] { return left(server) == 0; });
  }
  stop = true;
  reaper.join();
  const auto remained = left(server);
  for (auto &w : c.workers) w.kill();

  std::unordered_map<std::string, fate> all;
  for (int i = 0; i < c.started; ++i) read_journal(c.journal(i), all);
  int never = 0, again = 0, unexplained = 0;
  const auto raced_in_all = raced.size();
  for (int i = 0; i < messages; ++i) {
    const auto &f = all["m" + std::to_string(i)];
    never += f.done + f.unanswered() + f.failed == 0;
    again += std::max(f.runs - 1, 0);
    if (f.runs - 1 <= f.unanswered() + f.lost + f.failed + raced["m" + std::to_string(i)]) continue;
    ++unexplained;
    std::printf("m%d: %d runs, %d done, %d lost, %d failed%s\n", i, f.runs, f.done, f.lost, f.failed,
                told["m" + std::to_string(i)].c_str());
  }
  std::printf(
      "%d messages in %.1f s; killed: %d consumers, %d times Redis; worked again %d, put back by the platform's reaper "
      "%zu, %zu of them in a race of its own; unexplained %d\n",
      messages, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(), c.started - consumers,
      server_kills, again, put_back, raced_in_all, unexplained);
  CHECK(remained == 0);
  CHECK(never == 0);
  CHECK(unexplained == 0);
  CHECK(server.command({"ZCARD", "t:p:corbel:queue:dead"}).number == 0);
}
