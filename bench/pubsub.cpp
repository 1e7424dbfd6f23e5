// One subscriber in a coroutine on the host's io_context: batches of notices, every payload looked at.
//
//     bench_pubsub --port 6379 --channel bench (--seconds 1.5 | --messages 1000000)

#include "sequence.h"

#include <corbel/redis_subscription.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <stdexcept>
#include <string>

namespace {

namespace asio = boost::asio;

asio::awaitable<void> subscriber(corbel::redis_pool &pool, std::string channel, sequence s) {
  corbel::redis_subscription subscription(pool);
  (co_await subscription.async_subscribe(std::move(channel), asio::use_awaitable)).value();
  sequence_ready();
  while (!s.done) {
    const auto batch = co_await subscription.async_receive(asio::use_awaitable);
    for (const auto &notice : batch.value()) {
      if (notice.type != corbel::redis_notice::kind::message || notice.dropped)
        throw std::runtime_error("messages were lost: " + std::to_string(notice.dropped));
      const auto payload = notice.payload();
      if (!sequence_take(&s, payload.data(), payload.size())) throw std::runtime_error("one message was missed");
      if (s.done) break;
    }
  }
}

}  // namespace

int main(int argc, char **argv) try {
  asio::io_context ctx{1};
  corbel::runtime rt(ctx);
  corbel::redis_options options;
  options.url = std::string("redis://127.0.0.1:") + measure_option(argc, argv, "port", "6379");
  corbel::redis_pool pool(rt, options);
  asio::co_spawn(ctx, subscriber(pool, measure_option(argc, argv, "channel", "bench"), sequence_begin(argc, argv)),
                 [&](std::exception_ptr e) {
                   if (e) std::rethrow_exception(e);
                   rt.async_shutdown(std::chrono::seconds(1), [&](const corbel::result<void> &) { ctx.stop(); });
                 });
  ctx.run();
  return 0;
} catch (const std::exception &e) {
  std::fprintf(stderr, "bench_pubsub: %s\n", e.what());
  return 1;
}
