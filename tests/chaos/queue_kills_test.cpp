/// 100,000 messages while producers, consumers and Redis are killed at random: every accepted message is done, and every
/// message that was worked twice has a cause.

#include "chaos/queue_workers.hpp"
#include "support/redis_server.hpp"
#include "support/until.hpp"

#include <cstdio>
#include <random>
#include <unordered_map>

using namespace corbel;
using namespace corbel::test;

namespace {

constexpr int most_kills = 80, producers = 2, consumers = 3;
// Under a sanitizer fewer.
const int messages = std::getenv("CORBEL_ROUNDS") ? 40000 : 100000, batches = messages / producers / queue_workers::batch;

struct crowd {
  explicit crowd(redis_server &s) : server(s) {
    for (int p = 0; p < producers; ++p) start_producer(p);
    for (int c = 0; c < consumers; ++c) start_consumer(c);
  }
  void start_producer(int p) {
    senders[p] = other_process::start(
        "producer",
        {server.url(), journal_of_producer(p), std::to_string(p), std::to_string(batches), p % 2 == 0 ? "1" : "0"},
        dir.file("log"));
  }
  void start_consumer(int c) {
    workers[c] =
        other_process::start("consumer", {server.url(), journal_of_consumer(++started - 1), "16", "1000"}, dir.file("log"));
  }
  std::string journal_of_producer(int p) const { return dir.file("producer" + std::to_string(p)); }
  std::string journal_of_consumer(int number) const { return dir.file("consumer" + std::to_string(number)); }
  bool all_sent() {
    for (auto &s : senders)
      if (s.running()) return false;
    return true;
  }

  redis_server &server;
  temp_dir dir;
  child_process senders[producers], workers[consumers];
  int started = 0, killed_senders = 0, killed_workers = 0;

  void kill_one(std::mt19937 &random) {
    const int victim = std::uniform_int_distribution<int>(0, producers + consumers - 1)(random);
    if (victim >= producers) {
      workers[victim - producers].kill();
      ++killed_workers;
      start_consumer(victim - producers);
    } else if (senders[victim].running()) {
      senders[victim].kill();
      ++killed_senders;
      start_producer(victim);
    }
  }
};

/// What became of one message.
struct fate {
  int puts = 0, accepted = 0, runs = 0, done = 0, lost = 0, failed = 0;
  int unanswered() const { return runs - done - lost - failed; }
};
using fates = std::unordered_map<std::string, fate>;

void read_producer(const std::string &path, int number, fates &all) {
  std::ifstream in(path);
  std::string word, line;
  for (int which = 0; in >> word >> which && std::getline(in, line);) {
    for (int i = which * queue_workers::batch; i < (which + 1) * queue_workers::batch; ++i) {
      auto &f = all[queue_workers::id_of(number, i)];
      ++(word == "sent" ? f.puts : f.accepted);
    }
  }
}

void read_consumer(const std::string &path, fates &all) {
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

/// The ready list is empty and nothing is on its way back to it.
bool is_empty(redis_server &server) {
  return server.command({"EXISTS", "work", "work:inflight", "work:delayed", "work:parked:g"}).number == 0;
}

}  // namespace

TEST_CASE("100,000 messages, kills of all: every accepted message is done, duplicates are explained") {
  redis_server server({.append_only = true, .arguments = {"--appendfsync", "always"}});
  crowd c(server);
  std::mt19937 random(7);
  const auto began = std::chrono::steady_clock::now();
  auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); };
  int server_kills = 0;
  for (int round = 1; !c.all_sent() || !is_empty(server); ++round) {
    REQUIRE(seconds() < 240);
    if (round <= most_kills) c.kill_one(random);  // no more: else a slow machine would get nowhere
    if (round % 10 == 5 && server_kills < 6) {
      server.kill();
      server.start();
      ++server_kills;
    }
    const auto pause = std::uniform_int_distribution<int>(150, 450)(random);
    until(std::chrono::milliseconds(pause), [&] { return c.all_sent() && is_empty(server); });
  }
  // Killed workers may have left in flight what they had finished: now nothing is killed any more.
  const double spent = seconds();
  for (auto &w : c.workers) w.kill();

  fates all;
  for (int p = 0; p < producers; ++p) read_producer(c.journal_of_producer(p), p, all);
  for (int i = 0; i < c.started; ++i) read_consumer(c.journal_of_consumer(i), all);
  int accepted = 0, never = 0, again = 0, unexplained = 0, killed = 0, lost = 0, failed = 0, twice = 0;
  for (auto &[id, f] : all) {
    accepted += f.accepted > 0 ? 1 : 0;
    never += f.accepted > 0 && f.runs == 0 ? 1 : 0;
    const int extra = std::max(f.runs - 1, 0), put_again = std::min(std::max(f.puts - 1, 0), std::max(f.done - 1, 0));
    again += extra;
    if (extra > f.unanswered() + f.lost + f.failed + std::max(f.puts - 1, 0)) {
      ++unexplained;
      std::printf("message %s: put %d times, accepted %d; worked %d times: done %d, lost %d, failed %d\n", id.c_str(),
                  f.puts, f.accepted, f.runs, f.done, f.lost, f.failed);
    }
    if (extra == 0) continue;
    killed += f.unanswered();
    lost += f.lost;
    failed += f.failed;
    twice += put_again;
  }
  const auto dead = server.command({"ZCARD", "work:dead"}).number;
  std::printf("%d messages in %.1f s; killed: %d producers, %d consumers, %d times Redis\n", accepted, spent,
              c.killed_senders, c.killed_workers, server_kills);
  std::printf(
      "worked again %d: %d runs without an answer (their worker was killed), %d lost their lease, %d settlements failed, "
      "%d were put again; unexplained %d\n",
      again, killed, lost, failed, twice, unexplained);
  CHECK(accepted == messages);
  CHECK(never == 0);
  CHECK(unexplained == 0);
  CHECK(dead == 0);
  CHECK(c.killed_senders > 3);
  CHECK(c.killed_workers > 10);
  CHECK(server_kills >= 2);
}
