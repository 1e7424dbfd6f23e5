// N coroutines that put one message at a time in a loop, everything on one thread: the host's io_context.
//
//     bench_queue_put --port 6379 --callers 64 --admission 0|1 --size 1024 --seconds 1.5

#include "callers.hpp"

namespace {

namespace asio = boost::asio;

struct state {
  std::string body;
  bool running = true;
  int callers = 0;
  unsigned long done = 0;
};

asio::awaitable<void> caller(corbel::producer &in, state &s) {
  while (s.running) {
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
    corbel::queue_options options{.name = "bench"};
    if (measure_number(argc, argv, "admission", 0) != 0) options.admission.emplace().capacity = 1'000'000'000;
    corbel::producer in(pool, options);
    const auto executor = co_await asio::this_coro::executor;
    for (int i = s.callers; i > 0; --i) asio::co_spawn(executor, caller(in, s), bench::rethrow);
    co_await bench::measured(s.done, measure_number(argc, argv, "seconds", 1.5));
    s.running = false;
    while (s.callers) co_await bench::sleep(0.001);
  });
}
