// Private memory of an idle runtime with one pool, of each further pipeline, lease and subscription, and how often an idle
// runtime wakes up.
//
//     bench_memory --port 6379 --idle-seconds 10

#include "measure.h"
#include "process.hpp"

#include <corbel/redis_monitor.hpp>
#include <corbel/redis_subscription.hpp>

#include <boost/asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

void until(const std::string &what, const std::function<bool()> &true_now) {
  const auto give_up = measure_now() + 20;
  while (!true_now()) {
    if (measure_now() > give_up) throw std::runtime_error("gave up waiting: " + what);
    std::this_thread::sleep_for(milliseconds(5));
  }
}

// Wake-ups per second of all threads but this one.
double wake_ups(double seconds, const char *of) {
  const auto before = bench::sleeps();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  long sum = 0;
  for (const auto &[thread, n] : bench::sleeps()) {
    const auto found = before.find(thread);
    const long here = n - (found == before.end() ? 0 : found->second);
    std::fprintf(stderr, "bench_memory: %s: thread %s woke %ld times in %.0f s\n", of, thread.c_str(), here, seconds);
    sum += here;
  }
  return static_cast<double>(sum) / seconds;
}

// Keeps many commands under way, each replacing itself, so that the pool opens pipelines; ends when it has.
class load {
 public:
  load(corbel::redis_pool &pool, int callers) : pool_(pool), left_(callers) {
    for (int i = 0; i < callers; i++) next();
  }
  void end() {
    running_ = false;
    until("the load's last replies", [this] { return left_ == 0; });
  }

 private:
  void next() {
    pool_.async_send(corbel::redis_command("GET", "key:__rand_int__"), [this](const corbel::result<corbel::redis_reply> &) {
      if (running_)
        next();
      else
        --left_;
    });
  }
  corbel::redis_pool &pool_;
  std::atomic<bool> running_{true};
  std::atomic<int> left_;
};

double kib_of_each(long before, long after, double count) { return static_cast<double>(after - before) / count; }

}  // namespace

int main(int argc, char **argv) try {
  const double idle_seconds = measure_number(argc, argv, "idle-seconds", 10);
  constexpr int subscriptions = 1000, leases = 16;
  corbel::redis_options options;
  options.url = std::string("redis://127.0.0.1:") + measure_option(argc, argv, "port", "6379");
  const auto ping = [](corbel::redis_pool &pool) {
    pool.async_send(corbel::redis_command("PING"), asio::use_future).get().value();
  };

  const long nothing = bench::private_kib();
  corbel::runtime rt;
  corbel::redis_pool pool(rt, options);
  ping(pool);
  const double wakes = wake_ups(idle_seconds, "idle pool");
  const long with_pool = bench::private_kib();

  std::vector<corbel::redis_subscription> all;
  const auto subscribe = [&](int i) {
    all.emplace_back(pool).async_subscribe("bench:" + std::to_string(i), asio::use_future).get().value();
  };
  all.reserve(subscriptions + 1);
  const long without = bench::private_kib();
  subscribe(0);
  const long with_first = bench::private_kib();
  for (int i = 1; i <= subscriptions; i++) subscribe(i);
  const long with_all = bench::private_kib();
  const corbel::redis_monitor monitor(pool);
  const double wakes_watched = wake_ups(idle_seconds, "idle pool with subscriptions and a monitor");

  double per_lease = 0;
  {
    corbel::redis_pool leased(rt, options);
    ping(leased);
    const long before = bench::private_kib();
    std::vector<corbel::redis_lease> held;
    for (int i = 0; i < leases; i++) held.push_back(leased.async_lease(asio::use_future).get().value());
    per_lease = kib_of_each(before, bench::private_kib(), leases);
  }

  double per_pipeline = 0;
  double pipelines = 0;
  {
    corbel::redis_pool busy(rt, options);
    ping(busy);
    const long before = bench::private_kib();
    load commands(busy, 8192);
    std::this_thread::sleep_for(milliseconds(1000));
    commands.end();
    pipelines = busy.stats().pipelines;
    if (pipelines < 2) throw std::runtime_error("8192 commands under way opened no second pipeline");
    per_pipeline = kib_of_each(before, bench::private_kib(), pipelines - 1);
  }

  std::printf(
      "{\"program_kib\": %ld, \"pool_kib\": %ld, \"pipeline_kib\": %.1f, \"pipelines\": %.0f, \"lease_kib\": %.1f, "
      "\"first_subscription_kib\": %ld, \"subscription_kib\": %.2f, \"wakes_per_s\": %.2f, "
      "\"wakes_watched_per_s\": %.2f}\n",
      nothing, with_pool, per_pipeline, pipelines, per_lease, with_first - without,
      kib_of_each(with_first, with_all, subscriptions), wakes, wakes_watched);
  all.clear();
  return rt.shutdown(std::chrono::seconds(2)) ? 0 : 1;
} catch (const std::exception &e) {
  std::fprintf(stderr, "bench_memory: %s\n", e.what());
  return 1;
}
