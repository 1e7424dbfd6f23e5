// N threads that GET with the blocking call on one pool; the runtime has one I/O thread.
//
//     bench_redis_blocking --port 6379 --threads 64 --seconds 1.5 --key k --size 64

#include "measure.h"

#include <corbel/redis_pool.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

int main(int argc, char **argv) try {
  const std::string key = measure_option(argc, argv, "key", "key:__rand_int__");
  const auto size = static_cast<std::size_t>(measure_number(argc, argv, "size", 64));
  const double seconds = measure_number(argc, argv, "seconds", 1.5);
  const auto threads = static_cast<std::size_t>(measure_number(argc, argv, "threads", 64));

  corbel::runtime rt;
  corbel::redis_options options;
  options.url = std::string("redis://127.0.0.1:") + measure_option(argc, argv, "port", "6379");
  corbel::redis_pool pool(rt, options);
  struct alignas(64) counter {
    std::atomic<unsigned long> done{0};
  };
  std::vector<counter> counters(threads);
  std::atomic<bool> running{true}, failed{false};
  const auto all_done = [&] {
    unsigned long sum = 0;
    for (auto &c : counters) sum += c.done.load(std::memory_order_relaxed);
    return sum;
  };

  std::vector<std::thread> callers;
  for (std::size_t i = 0; i < threads; i++)
    callers.emplace_back([&, i] {
      while (running.load(std::memory_order_relaxed)) {
        auto reply = pool.send(corbel::redis_command("GET", key));
        if (!reply || reply->root().text().size() != size) {
          failed = true;
          std::fprintf(stderr, "bench_redis_blocking: %s\n",
                       reply ? "not the value that was set" : reply.error().message().c_str());
          return;
        }
        counters[i].done.store(counters[i].done.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      }
    });
  const auto sleep = [](double s) { std::this_thread::sleep_for(std::chrono::duration<double>(s)); };
  sleep(MEASURE_WARM_UP);
  const auto before = all_done();
  auto m = measure_begin();
  sleep(seconds);
  measure_end(&m);
  const auto done = all_done() - before;
  running = false;
  for (auto &t : callers) t.join();
  if (failed || done == 0) return 1;
  measure_print(&m, static_cast<double>(done));
  return rt.shutdown(std::chrono::seconds(1)) ? 0 : 1;
} catch (const std::exception &e) {
  std::fprintf(stderr, "bench_redis_blocking: %s\n", e.what());
  return 1;
}
