// N coroutines that take a message, run a no-op and acknowledge it. What they work is put before; 0: it is there already.
//
//     bench_queue_work --port 6379 --concurrency 64 --prefetch 0 --messages 400000 --size 1024 --seconds 1.5

#include "callers.hpp"

namespace {

namespace asio = boost::asio;

struct state {
  std::size_t size = 0;
  unsigned long done = 0;
};

asio::awaitable<void> worker(corbel::consumer &out, state &s) {
  for (;;) {
    auto taken = co_await out.async_take(asio::use_awaitable);
    if (!taken && taken.error().is(corbel::status::closed)) co_return;  // drained
    auto &m = taken.value();
    if (m.body().size() != s.size || m.attempt() != 1) throw std::runtime_error("not the message that was put");
    const auto settled = co_await m.async_settle(corbel::settle::done, {}, asio::use_awaitable);
    if (!settled.value()) throw std::runtime_error("a lease was lost");
    ++s.done;
  }
}

}  // namespace

int main(int argc, char **argv) {
  return bench::run(argc, argv, [argc, argv](corbel::redis_pool &pool) -> asio::awaitable<void> {
    state s;
    s.size = static_cast<std::size_t>(measure_number(argc, argv, "size", 1024));
    const auto messages = static_cast<long>(measure_number(argc, argv, "messages", 400000));
    const auto concurrency = static_cast<std::uint32_t>(measure_number(argc, argv, "concurrency", 64));
    corbel::queue_options options{.name = "bench", .concurrency = concurrency};
    options.prefetch = static_cast<std::uint32_t>(measure_number(argc, argv, "prefetch", 0));
    corbel::producer in(pool, options);
    co_await bench::fill(in, std::string(s.size, 'x'), messages);
    corbel::consumer out(pool, options);
    const auto executor = co_await asio::this_coro::executor;
    for (std::uint32_t i = 0; i < concurrency; ++i) asio::co_spawn(executor, worker(out, s), bench::rethrow);
    co_await bench::measured(s.done, measure_number(argc, argv, "seconds", 1.5),
                             messages > 0 ? static_cast<unsigned long>(messages) : ~0ul);
    if (const auto left = co_await out.async_drain({}, asio::use_awaitable); left.value() != 0)
      throw std::runtime_error("messages were left at the end");
  });
}
