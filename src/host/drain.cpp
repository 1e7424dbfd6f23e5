#include "host/drain.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace corbel {

namespace asio = boost::asio;

namespace {

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds shutdown_time{5000};  // for what is still under way in the runtime

struct host_run {
  asio::io_context &ctx;
  runtime &rt;
  http_server &server;
  const host_options &options;
  finish_work finish;
  std::function<void()> release;
  asio::signal_set signals{ctx, SIGTERM, SIGINT};
  int status = 1;

  void log(log_level level, std::string text, std::vector<log_field> fields = {}) const {
    rt.log({.level = level, .part = "host", .text = std::move(text), .fields = std::move(fields)});
  }

  void end_at_second_signal() {
    signals.async_wait([](const boost::system::error_code &ec, int number) {
      if (!ec) std::_Exit(128 + number);
    });
  }

  asio::awaitable<void> live() {
    auto [ec, number] = co_await signals.async_wait(as_value);
    log(log_level::info, fmt::format("draining after signal {}; a second one ends the process at once", number));
    end_at_second_signal();
    auto began = std::chrono::steady_clock::now();
    server.drain();
    std::size_t left = co_await finish(options.drain_timeout);
    asio::steady_timer notice(ctx, began + options.drain_notice);
    co_await notice.async_wait(as_value);
    auto took = std::chrono::steady_clock::now() - began;
    auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(options.drain_timeout - took);
    left += co_await server.stop(std::max(rest, std::chrono::milliseconds(100)));
    release();
    auto ended = co_await rt.async_shutdown(shutdown_time, asio::use_awaitable);
    if (left || !ended)
      log(log_level::warning,
          fmt::format("drained, but {} were left{}{}", left, ended ? "" : "; ", ended.error().message()));
    status = left ? 1 : 0;
    signals.cancel();
  }
};

}  // namespace

int run_host(asio::io_context &ctx, runtime &rt, http_server &server, host_options &options, finish_work finish,
             std::function<void()> release) {
  host_run run{ctx, rt, server, options, std::move(finish), std::move(release)};
  auto port = server.listen(options.address, options.port, options.workers > 1);
  if (!port) {
    run.log(log_level::error, port.error().message());
    std::fprintf(stderr, "%s\n", port.error().message().c_str());
    return 1;
  }
  options.port = *port;
  run.log(log_level::info, fmt::format("listening on {} port {}", options.address, *port),
          {{"port", std::to_string(*port)}});
  asio::co_spawn(ctx, run.live(), asio::detached);
  ctx.run();
  return run.status;
}

}  // namespace corbel
