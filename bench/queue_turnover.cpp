// N coroutines that take a message, acknowledge one of those that are held, in random order, and put another one: while it
// runs as many messages are ready, and as many in flight, as it was told. What is missing of them is put first.
//
//     bench_queue_turnover --port 6379 --queue bench --ready 1000 --held 64 --callers 64 --size 1024 --seconds 1.5

#include "callers.hpp"

#include <random>
#include <vector>

namespace {

namespace asio = boost::asio;

struct state {
  std::string body;
  bool running = true;
  int callers = 0;
  unsigned long done = 0;
  std::vector<corbel::message> held;
  std::minstd_rand random{7};
};

asio::awaitable<void> take_one(corbel::consumer &out, state &s) {
  auto taken = co_await out.async_take(asio::use_awaitable);
  if (taken.value().body().size() != s.body.size()) throw std::runtime_error("not the message that was put");
  s.held.push_back(std::move(taken.value()));
}

asio::awaitable<void> settle_one(state &s) {
  const auto at = std::uniform_int_distribution<std::size_t>(0, s.held.size() - 1)(s.random);
  std::swap(s.held[at], s.held.back());
  auto m = std::move(s.held.back());
  s.held.pop_back();
  const auto settled = co_await m.async_settle(corbel::settle::done, {}, asio::use_awaitable);
  if (!settled.value()) throw std::runtime_error("a lease was lost");
}

asio::awaitable<void> caller(corbel::producer &in, corbel::consumer &out, state &s) {
  while (s.running) {
    co_await take_one(out, s);
    co_await settle_one(s);
    co_await bench::put_one(in, s.body);
    ++s.done;
  }
  --s.callers;
}

}  // namespace

int main(int argc, char **argv) {
  return bench::run(argc, argv, [argc, argv](corbel::redis_pool &pool) -> asio::awaitable<void> {
    state s;
    s.body.assign(static_cast<std::size_t>(measure_number(argc, argv, "size", 1024)), 'x');
    s.callers = static_cast<int>(measure_number(argc, argv, "callers", 64));
    const auto ready = static_cast<long>(measure_number(argc, argv, "ready", 1000));
    const auto held = static_cast<long>(measure_number(argc, argv, "held", 64));
    corbel::queue_options options{.name = measure_option(argc, argv, "queue", "bench"),
                                  .concurrency = static_cast<std::uint32_t>(held)};
    corbel::producer in(pool, options);
    const auto depth = static_cast<long>((co_await in.async_depth({}, asio::use_awaitable)).value());
    co_await bench::fill(in, s.body, ready + held - depth);
    corbel::consumer out(pool, options);
    for (long i = s.callers; i < held; ++i) co_await take_one(out, s);
    const auto executor = co_await asio::this_coro::executor;
    for (int i = s.callers; i > 0; --i) asio::co_spawn(executor, caller(in, out, s), bench::rethrow);
    co_await bench::measured(s.done, measure_number(argc, argv, "seconds", 1.5));
    s.running = false;
    while (s.callers) co_await bench::sleep(0.001);
    for (auto &m : std::exchange(s.held, {}))
      (void)(co_await m.async_settle(corbel::settle::hand_back, {}, asio::use_awaitable)).value();
    (void)co_await out.async_drain({}, asio::use_awaitable);
  });
}
