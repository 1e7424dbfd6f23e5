// N coroutines that put and N that take, run a no-op and acknowledge, on one queue and one thread. Who puts is held back
// once 1,000 messages are ahead, so that the rate is of messages that went all the way.
//
//     bench_queue_both --port 6379 --in-flight 64 --size 1024 --seconds 1.5

#include "callers.hpp"

#include <boost/asio/redirect_error.hpp>

namespace {

namespace asio = boost::asio;

constexpr unsigned long most_ahead = 1000;

struct state {
  explicit state(const asio::any_io_executor &e) : room(e) { room.expires_at(asio::steady_timer::time_point::max()); }
  std::string body;
  bool running = true;
  int callers = 0;
  unsigned long put = 0, done = 0;
  asio::steady_timer room;  // cancelled one by one: a caller may put again
};

asio::awaitable<void> caller(corbel::producer &in, state &s) {
  while (s.running) {
    if (s.put - s.done >= most_ahead) {
      boost::system::error_code woken;
      co_await s.room.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      continue;
    }
    ++s.put;
    co_await bench::put_one(in, s.body);
  }
  --s.callers;
}

asio::awaitable<void> worker(corbel::consumer &out, state &s) {
  for (;;) {
    auto taken = co_await out.async_take(asio::use_awaitable);
    if (!taken && taken.error().is(corbel::status::closed)) co_return;  // drained
    auto &m = taken.value();
    if (m.body().size() != s.body.size()) throw std::runtime_error("not the message that was put");
    const auto settled = co_await m.async_settle(corbel::settle::done, {}, asio::use_awaitable);
    if (!settled.value()) throw std::runtime_error("a lease was lost");
    ++s.done;
    s.room.cancel_one();
  }
}

}  // namespace

int main(int argc, char **argv) {
  return bench::run(argc, argv, [argc, argv](corbel::redis_pool &pool) -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    state s(executor);
    s.body.assign(static_cast<std::size_t>(measure_number(argc, argv, "size", 1024)), 'x');
    s.callers = static_cast<int>(measure_number(argc, argv, "in-flight", 64));
    corbel::queue_options options{.name = "bench", .concurrency = static_cast<std::uint32_t>(s.callers)};
    corbel::producer in(pool, options);
    corbel::consumer out(pool, options);
    for (int i = s.callers; i > 0; --i) {
      asio::co_spawn(executor, caller(in, s), bench::rethrow);
      asio::co_spawn(executor, worker(out, s), bench::rethrow);
    }
    co_await bench::measured(s.done, measure_number(argc, argv, "seconds", 1.5));
    s.running = false;
    s.room.cancel();
    while (s.callers) co_await bench::sleep(0.001);
    (void)co_await out.async_drain({}, asio::use_awaitable);
  });
}
