// Ten minutes of everything at once: commands of all sizes, refused commands, scripts, transactions, blocking pops,
// subscriptions that come and go; whoever runs this kills and restarts the server meanwhile. Memory and descriptors are
// printed twenty times and must stay flat.
//
//     bench_soak --port 6379 --seconds 600

#include "measure.h"
#include "process.hpp"

#include <corbel/redis_monitor.hpp>
#include <corbel/redis_script.hpp>
#include <corbel/redis_subscription.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
using asio::use_awaitable;
using corbel::redis_command;
using std::chrono::milliseconds;

constexpr int callers = 128, lease_holders = 8, subscribers = 32, channels = 16;

// All but the flags is touched by the one I/O thread only.
struct soak {
  corbel::redis_pool pool;
  std::atomic<bool> running{true};
  std::atomic<int> active{0};
  std::atomic<long> calls{0}, messages{0}, failed{0};
  std::map<std::string, long> failures{};  // by status
  std::mt19937 random{7};
  const corbel::redis_script add{"return redis.call('INCRBY', KEYS[1], ARGV[1])", 1};

  int chosen(int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); }
  template <class T>
  bool count(const corbel::result<T> &r) {
    ++calls;
    if (r) return true;
    ++failed;
    ++failures[corbel::status_name(r.error().code())];
    if (r.error().is(corbel::status::internal)) throw corbel::failure(r.error());
    return false;
  }
};

asio::awaitable<void> pause(int ms) {
  asio::steady_timer timer(co_await asio::this_coro::executor, milliseconds(ms));
  co_await timer.async_wait(use_awaitable);
}

asio::awaitable<void> caller(soak &s, int id) {
  const auto key = "soak:" + std::to_string(id % 32);
  const std::string large(64 * 1024, 'x');
  while (s.running) {
    switch (s.chosen(8)) {
      case 0:
        s.count(co_await s.pool.async_send(redis_command("SET", key, std::string_view(large).substr(0, 64)), use_awaitable));
        break;
      case 1:
        s.count(co_await s.pool.async_send(redis_command("SET", key + ":large", large), use_awaitable));
        break;
      case 2:
        s.count(co_await s.pool.async_send(redis_command("GET", key + ":large"), {.idempotent = true}, use_awaitable));
        break;
      case 3:
        s.count(co_await s.pool.async_send(redis_command("LPUSH", key, "refused: not a list"), use_awaitable));
        break;
      case 4:
        s.count(co_await corbel::async_run(s.pool, s.add, s.add.command(key + ":sum", id), {}, use_awaitable));
        break;
      case 5:
        s.count(co_await s.pool.async_send(redis_command("MGET", key, key + ":sum", "soak:none"), use_awaitable));
        break;
      default:
        s.count(co_await s.pool.async_send(redis_command("GET", key), use_awaitable));
        break;
    }
    co_await pause(s.chosen(10));
  }
  --s.active;
}

// Transactions, blocking pops, and leases given back in a state that has to be discarded.
asio::awaitable<void> lease_holder(soak &s, int id) {
  const auto key = "soak:leased:" + std::to_string(id);
  while (s.running) {
    auto lease = co_await s.pool.async_lease(use_awaitable);
    if (!s.count(lease)) continue;
    const int what = s.chosen(4);
    if (what == 0) {
      s.count(co_await lease->async_send(redis_command("BLPOP", key, "0.2"), use_awaitable));
    } else {
      s.count(co_await lease->async_send(redis_command("WATCH", key), use_awaitable));
      s.count(co_await lease->async_send(redis_command("MULTI"), use_awaitable));
      s.count(co_await lease->async_send(redis_command("INCR", key + ":count"), use_awaitable));
      if (what != 1) s.count(co_await lease->async_send(redis_command("EXEC"), use_awaitable));
    }
    lease->release();
    co_await pause(s.chosen(50));
  }
  --s.active;
}

asio::awaitable<void> subscriber(soak &s) {
  while (s.running) {
    corbel::redis_subscription sub(s.pool, 64);
    s.count(co_await sub.async_subscribe("soak:channel:" + std::to_string(s.chosen(channels)), use_awaitable));
    if (s.chosen(2)) s.count(co_await sub.async_psubscribe("soak:channel:1*", use_awaitable));
    for (int left = 1 + s.chosen(40); left > 0 && s.running; --left) {
      auto batch = co_await sub.async_receive(use_awaitable);
      if (s.count(batch)) s.messages += static_cast<long>(batch->size());
    }
  }
  --s.active;
}

asio::awaitable<void> publisher(soak &s) {
  while (s.active > 0) {
    for (int i = 0; i < channels; i++)
      s.count(
          co_await s.pool.async_send(redis_command("PUBLISH", "soak:channel:" + std::to_string(i), "hello"), use_awaitable));
    co_await pause(10);
  }
  s.active = -1;
}

struct sample {
  long kib, descriptors;
};

// The greatest of the last third beside the greatest of the third that follows the first samples.
bool flat(const std::vector<sample> &all) {
  const auto third = static_cast<std::ptrdiff_t>(all.size() / 3);
  const auto greatest = [&](std::ptrdiff_t from, long sample::*of) {
    long found = 0;
    for (auto i = from; i < from + third; ++i) found = std::max(found, all[static_cast<std::size_t>(i)].*of);
    return found;
  };
  const auto last = std::ssize(all) - third;
  const long early = greatest(2, &sample::kib), late = greatest(last, &sample::kib);
  const long early_fds = greatest(2, &sample::descriptors), late_fds = greatest(last, &sample::descriptors);
  std::fprintf(stderr, "bench_soak: private memory %ld KiB early, %ld KiB late; descriptors %ld early, %ld late\n", early,
               late, early_fds, late_fds);
  return late <= early + early / 20 + 256 && late_fds <= early_fds + 1;
}

}  // namespace

int main(int argc, char **argv) try {
  const double seconds = measure_number(argc, argv, "seconds", 600);
  constexpr int samples = 20;
  const long descriptors_before = bench::descriptors();
  std::vector<sample> taken;
  {
    corbel::runtime rt;
    corbel::redis_options options;
    options.url = std::string("redis://127.0.0.1:") + measure_option(argc, argv, "port", "6379");
    soak s{.pool = corbel::redis_pool(rt, options)};
    const corbel::redis_monitor monitor(s.pool);
    const auto start = [&](asio::awaitable<void> coroutine) {
      co_spawn(rt.executor(), std::move(coroutine), [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
      });
    };
    s.active = callers + lease_holders + subscribers;
    for (int i = 0; i < callers; i++) start(caller(s, i));
    for (int i = 0; i < lease_holders; i++) start(lease_holder(s, i));
    for (int i = 0; i < subscribers; i++) start(subscriber(s));
    start(publisher(s));
    for (int i = 1; i <= samples; i++) {
      std::this_thread::sleep_for(std::chrono::duration<double>(seconds / samples));
      taken.push_back({bench::private_kib(), bench::descriptors()});
      std::fprintf(
          stderr,
          "bench_soak: %4.0f s: %ld calls, %ld failed, %ld messages, %lu reconnects; private %ld KiB, %ld descriptors\n",
          seconds * i / samples, s.calls.load(), s.failed.load(), s.messages.load(),
          static_cast<unsigned long>(s.pool.stats().reconnects), taken.back().kib, taken.back().descriptors);
    }
    s.running = false;
    const double give_up = measure_now() + 30;
    while (s.active >= 0) {
      if (measure_now() > give_up) throw std::runtime_error("callers are left that never got their answer");
      std::this_thread::sleep_for(milliseconds(10));
    }
    rt.shutdown(std::chrono::seconds(5)).value();
    for (const auto &[status, n] : s.failures) std::fprintf(stderr, "bench_soak: %s: %ld\n", status.c_str(), n);
  }
  const long descriptors_after = bench::descriptors();
  const bool good = flat(taken) && descriptors_after == descriptors_before;
  std::printf("{\"flat\": %d, \"private_kib\": %ld, \"descriptors\": %ld, \"descriptors_left\": %ld}\n", good ? 1 : 0,
              taken.back().kib, taken.back().descriptors, descriptors_after - descriptors_before);
  return good ? 0 : 1;
} catch (const std::exception &e) {
  std::fprintf(stderr, "bench_soak: %s\n", e.what());
  return 1;
}
