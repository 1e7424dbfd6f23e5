/// What the server itself may lose with `appendfsync everysec`, counted. A SIGKILL of the server alone leaves what it wrote
/// to the kernel; a power cut also takes what was not yet synced, about the last second. The second is played by cutting the
/// append-only file to the length that it had a second before.

#include "chaos/queue_workers.hpp"
#include "live/queue_fixture.hpp"

#include <cstdio>
#include <deque>
#include <filesystem>

using namespace corbel;
using namespace corbel::test;

namespace {

struct loss {
  int accepted = 0, missing = 0;
  long long oldest_ms = 0;  ///< of the missing: accepted so long before the kill
};

struct everysec {
  redis_server server{
      {.append_only = true, .arguments = {"--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0"}}};
  temp_dir dir;
  std::deque<std::pair<long long, std::uintmax_t>> lengths;  // of the append-only file, by time

  std::filesystem::path file() const {
    for (const auto &each : std::filesystem::directory_iterator(server.directory().file("appendonlydir")))
      if (each.path().string().ends_with(".incr.aof")) return each.path();
    throw std::runtime_error("no append-only file");
  }
  long long accepted() const {
    std::ifstream in(dir.file("sent"));
    long long n = 0;
    for (std::string line; std::getline(in, line);) n += line.starts_with("accepted") ? 1 : 0;
    return n;
  }
  /// Batches are put for some seconds; then something else happens, and producer and server are killed. Returns the moment.
  template <class Last>
  long long kill_while_putting(Last last) {
    auto sender = other_process::start("producer", {server.url(), dir.file("sent"), "0", "100000", "1"}, dir.file("log"));
    CHECK(until(patience, [&] {
      lengths.emplace_back(queue_workers::now_ms(), std::filesystem::file_size(file()));
      return accepted() >= 150;
    }));
    last();
    const auto moment = queue_workers::now_ms();
    server.kill();
    sender.kill();
    return moment;
  }
  /// The length that the file had at that time.
  std::uintmax_t length_at(long long ms) const {
    std::uintmax_t length = 0;
    for (auto [at, bytes] : lengths)
      if (at <= ms) length = bytes;
    return length;
  }
  loss count(long long moment) {
    std::set<std::string> there;
    for (const auto &e : server.command({"LRANGE", "work", "0", "-1"}).elements)
      there.insert(e.text.substr(0, e.text.find('\x1f')));
    loss l;
    std::ifstream in(dir.file("sent"));
    std::string word, rest;
    for (int which = 0; in >> word >> which && std::getline(in, rest);) {
      if (word != "accepted") continue;
      for (int i = which * queue_workers::batch; i < (which + 1) * queue_workers::batch; ++i) {
        ++l.accepted;
        if (there.contains(queue_workers::id_of(0, i))) continue;
        ++l.missing;
        l.oldest_ms = std::max(l.oldest_ms, moment - std::stoll(rest));
      }
    }
    return l;
  }
};

}  // namespace

TEST_CASE("everysec, the server is killed: nothing that was accepted more than two seconds before is missing") {
  everysec e;
  const auto moment = e.kill_while_putting([] {});
  e.server.start();
  const auto l = e.count(moment);
  std::printf("everysec, SIGKILL: %d accepted, %d missing\n", l.accepted, l.missing);
  CHECK(l.accepted > 5000);
  CHECK(l.oldest_ms <= 2000);
}

TEST_CASE("everysec, the power is cut: what is missing is the end, the rest is worked, and tokens still grow") {
  everysec e;
  runtime rt;
  redis_pool pool(rt, {.url = e.server.url()});
  const queue_options options{.name = "work", .lease = 1000ms};
  std::uint64_t token = 0;
  const auto moment = e.kill_while_putting([&] {
    consumer out(pool, options);  // its claim and its acknowledge are lost too
    auto m = take(out);
    token = m.token();
    CHECK(settled(m));
  });
  std::filesystem::resize_file(e.file(), e.length_at(moment - 1000));
  e.server.start();
  const auto l = e.count(moment);
  std::printf("everysec, power cut: %d accepted, %d missing, the oldest %lld ms old\n", l.accepted, l.missing, l.oldest_ms);
  CHECK(l.accepted > 5000);
  CHECK(l.missing > 0);
  CHECK(l.oldest_ms <= 2000);

  // Messages of the lost second may be worked twice, for their acknowledges are lost too; their tokens are new ones.
  const auto left = e.server.command({"LLEN", "work"}).number + in_flight(e.server);
  consumer out(pool, {.name = "work", .prefetch = 100, .lease = 1000ms});
  for (long long i = 0; i < left; ++i) {
    auto m = take(out);
    REQUIRE(m.token() > token);
    token = m.token();
    REQUIRE(settled(m));
  }
  CHECK(until(patience, [&] { return e.server.command({"EXISTS", "work", "work:inflight"}).number == 0; }));
}
