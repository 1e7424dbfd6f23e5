// 200 puts a second to an idle consumer, in one process and one thread: the time from before the put to when the handler has
// the message. It is acknowledged afterwards.
//
//     bench_queue_latency --port 6379 --size 1024 --seconds 3

#include "callers.hpp"

#include <algorithm>

namespace {

namespace asio = boost::asio;

constexpr double period = 0.005;

asio::awaitable<void> worker(corbel::consumer &out, std::size_t size, std::vector<double> &times) {
  for (;;) {
    auto taken = co_await out.async_take(asio::use_awaitable);
    if (!taken && taken.error().is(corbel::status::closed)) co_return;  // drained
    auto &m = taken.value();
    times.push_back(measure_now() - std::stod(std::string(m.body().substr(0, 32))));
    if (m.body().size() != size) throw std::runtime_error("not the message that was put");
    if (!(co_await m.async_settle(corbel::settle::done, {}, asio::use_awaitable)).value())
      throw std::runtime_error("a lease was lost");
  }
}

asio::awaitable<void> put_timed(corbel::producer &in, std::string body) {
  char text[40];
  const int size = std::snprintf(text, sizeof text, "%.9f ", measure_now());
  co_await bench::put_one(in, body.replace(0, static_cast<std::size_t>(size), text));
}

}  // namespace

int main(int argc, char **argv) {
  return bench::run(argc, argv, [argc, argv](corbel::redis_pool &pool) -> asio::awaitable<void> {
    const std::string body(static_cast<std::size_t>(measure_number(argc, argv, "size", 1024)), 'x');
    const double seconds = measure_number(argc, argv, "seconds", 3);
    const auto executor = co_await asio::this_coro::executor;
    corbel::queue_options options{.name = "bench", .concurrency = 64};
    corbel::producer in(pool, options);
    corbel::consumer out(pool, options);
    std::vector<double> times;
    for (int i = 0; i < 64; ++i) asio::co_spawn(executor, worker(out, body.size(), times), bench::rethrow);
    co_await bench::sleep(MEASURE_WARM_UP);

    asio::steady_timer timer(executor);
    auto due = asio::steady_timer::clock_type::now();
    const auto warm = static_cast<std::size_t>(MEASURE_WARM_UP / period),
               all = warm + static_cast<std::size_t>(seconds / period);
    for (std::size_t i = 0; i < all; ++i) {
      timer.expires_at(due += std::chrono::microseconds(std::int64_t(1e6 * period)));
      co_await timer.async_wait(asio::use_awaitable);
      asio::co_spawn(executor, put_timed(in, body), bench::rethrow);
    }
    while (times.size() < all) co_await bench::sleep(0.01);
    std::sort(times.begin() + static_cast<std::ptrdiff_t>(warm), times.end());
    const auto measured = all - warm;
    std::printf("{\"p50_ms\": %.4f, \"p99_ms\": %.4f, \"messages\": %zu}\n", 1e3 * times[warm + measured / 2],
                1e3 * times[warm + measured * 99 / 100], measured);
    (void)co_await out.async_drain({}, asio::use_awaitable);
  });
}
