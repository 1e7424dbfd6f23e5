/// What a process shows of a queue: gauges, health, the platform's analytics, and what it thinks of the server.

#include "json/document.hpp"
#include "live/queue_fixture.hpp"
#include "queue/queue_sampler.hpp"
#include "queue/server_check.hpp"

#include <corbel/health.hpp>

#include <algorithm>
#include <cmath>

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;

namespace {

std::vector<std::string> warnings(const redis_pool &pool) {
  std::promise<void> asked;
  std::vector<std::string> all;
  detail::check_queue_server(pool, [&](std::string w) { all.push_back(std::move(w)); });
  pool.async_send(redis_command("PING"), [&](const result<redis_reply> &) { asked.set_value(); });  // answered after those
  now(asked.get_future());
  return all;
}

struct analysed : queue_fixture {
  detail::queue_analytics figures{
      "t",
      "p",
      {{"privileged"}, {"registered"}, {"anonymous"}, {"paid"}, {"external"}},
      {"ready:privileged", "ready:registered", "ready:anonymous", "ready:paid", "ready:external"}};
  static constexpr std::size_t lane_paid = 3;
  static constexpr char paid[] = "t:p:kdcube:chat:prompt:queue:analytics:paid", minutes[] = "t:p:corbel:queue:minutes:paid";

  std::future<result<redis_reply>> writing() {
    auto [script, command] = figures.write();
    return async_run(pool, script, std::move(command), {}, asio::use_future);
  }
  void write() {
    auto r = now(writing());
    REQUIRE_MESSAGE(r, r.error().message());
  }
  double figure(const std::string &name) {
    auto parsed = json_document::parse(server.command({"GET", paid}).text);
    REQUIRE(parsed);
    auto found = parsed->root().object()->number(name);
    REQUIRE(found);
    return *found;
  }
};

double seconds_now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

}  // namespace

TEST_CASE("a server that may drop messages, or keeps none, is warned of; one that may not be asked is not") {
  {
    redis_server good({.append_only = true});
    runtime rt;
    CHECK(warnings(redis_pool(rt, {.url = good.url()})).empty());
  }
  {
    redis_server bad({.arguments = {"--save", "", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"}});
    runtime rt;
    auto all = warnings(redis_pool(rt, {.url = bad.url()}));
    REQUIRE(all.size() == 2);
    CHECK(all[0].find("allkeys-lru") != std::string::npos);
    CHECK(all[1].find("nothing on disk") != std::string::npos);
  }
  {
    redis_server shy({.acl = {"user default on nopass ~* &* +@all -config -info"}, .arguments = {"--save", ""}});
    runtime rt;
    CHECK(warnings(redis_pool(rt, {.url = shy.url()})).empty());
  }
}

TEST_CASE_FIXTURE(queue_fixture, "what a queue holds is in the metrics, once for all its consumers in a process") {
  const queue_options work{.name = "work"};
  auto protocol = detail::make_native_protocol(work);
  put({{.body = "1"}, {.body = "2"}, {.body = "3", .delay = 1h}});
  auto on_loop = [&](auto f) { return now(asio::post(pool.executor(), asio::use_future(f))); };
  auto one = on_loop([&] { return detail::queue_sampler::of(pool, protocol, work); });
  auto two = on_loop([&] { return detail::queue_sampler::of(pool, protocol, work); });
  CHECK(one == two);
  auto shows = [&](const std::string &line) {
    return until(patience, [&] { return rt.metrics_text().find(line + "\n") != std::string::npos; });
  };
  CHECK(shows("corbel_queue_ready{lane=\"\",queue=\"work\"} 2"));
  CHECK(shows("corbel_queue_delayed{queue=\"work\"} 1"));
  CHECK(shows("corbel_queue_in_flight{queue=\"work\"} 0"));
  CHECK(shows("corbel_queue_dead{queue=\"work\"} 0"));
  auto state = [&] {
    for (auto &part : health(rt).parts)
      if (part.part == "queue:work") return part.state;
    return health_state::unknown;
  };
  CHECK(until(patience, [&] { return state() == health_state::ok; }));
  one.reset();
  CHECK(state() == health_state::ok);
  two.reset();
  CHECK(until(patience, [&] { return rt.metrics_text().find("corbel_queue_ready") == std::string::npos; }));
  CHECK(state() == health_state::unknown);
}

TEST_CASE_FIXTURE(queue_fixture, "what a producer and a consumer do is counted where it is told") {
  auto shows = [&](const std::string &line) {
    const bool found = until(patience, [&] { return rt.metrics_text().find(line + "\n") != std::string::npos; });
    if (!found) MESSAGE(rt.metrics_text());
    return found;
  };
  producer in(pool, {.name = "work"});
  std::vector<put_item> items;
  for (int i = 0; i < 5; ++i) items.push_back({.body = "x", .idempotency_key = "k" + std::to_string(i)});
  REQUIRE(now(in.async_put(items, {}, asio::use_future)));
  REQUIRE(now(in.async_put({.body = "x", .idempotency_key = "k0"}, asio::use_future)));
  CHECK(shows("corbel_queue_put_total{queue=\"work\"} 5"));
  CHECK(shows("corbel_queue_put_repeated_total{queue=\"work\"} 1"));
  consumer out(pool, {.name = "work", .concurrency = 3, .prefetch = 2, .lease = 1h});
  auto a = take(out), b = take(out), c = take(out);
  CHECK(shows("corbel_queue_claimed_total{queue=\"work\"} 5"));
  CHECK(shows("corbel_queue_in_hand{queue=\"work\"} 3"));
  CHECK(shows("corbel_queue_buffered{queue=\"work\"} 2"));
  CHECK(shows("corbel_queue_capacity{queue=\"work\"} 3"));
  CHECK(shows("corbel_queue_wait_seconds_count{queue=\"work\"} 5"));
  CHECK(settled(a));
  settle_request later = settle::retry;
  later.delay = 1h;
  CHECK(settled(b, later));
  CHECK(settled(c, settle::bury));
  CHECK(drain(out));
  CHECK(shows("corbel_queue_settled_total{how=\"done\",queue=\"work\"} 1"));
  CHECK(shows("corbel_queue_settled_total{how=\"retry\",queue=\"work\"} 1"));
  CHECK(shows("corbel_queue_settled_total{how=\"bury\",queue=\"work\"} 1"));
  CHECK(shows("corbel_queue_settled_total{how=\"hand_back\",queue=\"work\"} 2"));
  CHECK(shows("corbel_queue_run_seconds_count{queue=\"work\"} 3"));
  CHECK(shows("corbel_queue_in_hand{queue=\"work\"} 0"));
}

TEST_CASE_FIXTURE(queue_fixture, "a lost lease is counted once, whether its message was delivered or not") {
  put({{.body = "1"}, {.body = "2"}});
  consumer out(pool, {.name = "work", .prefetch = 1, .lease = 300ms});
  auto m = take(out);
  REQUIRE(until(patience, [&] { return inflight() == 2; }));
  server.command({"DEL", "work:inflight", "work:leases", "work:holders"});
  CHECK(until(patience, [&] { return m.lost(); }));
  CHECK_FALSE(settled(m));
  CHECK(until(patience, [&] {
    return rt.metrics_text().find("corbel_queue_leases_lost_total{queue=\"work\"} 2\n") != std::string::npos;
  }));
}

TEST_CASE("refusals are counted by their reason, and a consumer warns of its server when it begins") {
  redis_server server({.arguments = {"--save", "", "--maxmemory-policy", "allkeys-lru"}});
  std::mutex mutex;
  std::vector<std::string> said;
  runtime rt({.log = [&](const log_line &line) {
    std::lock_guard lock(mutex);
    if (line.level == log_level::warning && line.part == "queue:work") said.push_back(line.text);
  }});
  redis_pool pool(rt, {.url = server.url()});
  producer in(pool, {.name = "work", .admission = queue_admission{.capacity = 0}});
  for (int i = 0; i < 3; ++i) {
    auto r = now(in.async_put({.body = "x"}, asio::use_future));
    REQUIRE_FALSE(r);
    CHECK(r.error().native() == "no_healthy_processes");
  }
  CHECK(rt.metrics_text().find(R"(corbel_queue_put_refused_total{queue="work",reason="no_healthy_processes"} 3)") !=
        std::string::npos);
  consumer out(pool, {.name = "work"});
  CHECK(until(patience, [&] {
    std::lock_guard lock(mutex);
    return said.size() == 2 && said[0].find("allkeys-lru") != std::string::npos &&
           said[1].find("nothing on disk") != std::string::npos;
  }));
  CHECK(rt.shutdown(5s));
}

TEST_CASE_FIXTURE(queue_fixture, "a queue that cannot be asked is degraded, and says why") {
  const queue_options work{.name = "work"};
  server.command({"LPUSH", "work:inflight", "of another type"});
  auto protocol = detail::make_native_protocol(work);
  auto seen =
      now(asio::post(pool.executor(), asio::use_future([&] { return detail::queue_sampler::of(pool, protocol, work); })));
  CHECK(until(patience, [&] {
    for (auto &part : health(rt).parts)
      if (part.part == "queue:work" && part.state == health_state::degraded)
        return part.reason.find("WRONGTYPE") != std::string::npos;
    return false;
  }));
}

TEST_CASE_FIXTURE(analysed, "analytics: counts, mean and peak, by many without losing any") {
  write();
  CHECK(server.command({"EXISTS", paid, minutes}).number == 0);  // nothing to say yet
  server.command({"RPUSH", "ready:paid", "a", "b", "c"});
  figures.worked(lane_paid, 2000ms);
  figures.worked(lane_paid, 4000ms);
  write();
  CHECK(figure("total_processed") == 2);
  CHECK(figure("processed_today") == 2);
  CHECK(figure("throughput_last_hour") == 2);
  CHECK(figure("peak_size_today") == 3);
  CHECK(std::abs(figure("avg_wait_time") - 3) < 1e-6);
  CHECK(std::abs(figure("last_updated") - seconds_now()) < 20);
  CHECK(server.command({"TTL", paid}).number > 86000);
  CHECK(server.command({"EXISTS", "t:p:kdcube:chat:prompt:queue:analytics:privileged"}).number == 0);
  server.command({"DEL", "ready:paid"});
  std::vector<std::future<result<redis_reply>>> many;
  for (int i = 0; i < 200; ++i) {
    figures.worked(lane_paid, 9000ms);
    many.push_back(writing());
  }
  for (auto &f : many) REQUIRE(now(std::move(f)));
  CHECK(figure("total_processed") == 202);
  CHECK(figure("peak_size_today") == 3);
  CHECK(std::abs(figure("avg_wait_time") - (6 + 200 * 9) / 202.0) < 1e-3);
}

TEST_CASE_FIXTURE(analysed, "analytics: the day and the hour roll over, and what is no JSON is written anew") {
  const auto minute = static_cast<long long>(seconds_now() / 60);
  server.command({"HSET", minutes, std::to_string(minute - 61), "40", std::to_string(minute - 58), "5"});
  server.command({"SET", paid,
                  R"({"avg_wait_time": 1.5, "processed_today": 70, "peak_size_today": 9, "last_updated": )" +
                      std::to_string(seconds_now() - 86400) + R"(, "throughput_last_hour": 45, "total_processed": 100})"});
  figures.worked(lane_paid, 1500ms);
  write();
  CHECK(figure("processed_today") == 1);
  CHECK(figure("peak_size_today") == 0);
  CHECK(figure("throughput_last_hour") == 6);
  CHECK(figure("total_processed") == 101);
  CHECK(std::abs(figure("avg_wait_time") - 1.5) < 1e-6);
  CHECK(server.command({"HEXISTS", minutes, std::to_string(minute - 61)}).number == 0);
  write();  // nothing was worked: the figures stay, and roll over when their time comes
  CHECK(figure("processed_today") == 1);
  CHECK(figure("total_processed") == 101);
  server.command({"SET", paid, "[broken"});
  write();
  CHECK(figure("total_processed") == 0);
  CHECK(figure("throughput_last_hour") == 6);
}
