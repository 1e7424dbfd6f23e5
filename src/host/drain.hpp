#pragma once
/// The life of a host: it serves until SIGTERM or SIGINT, drains, and ends. A second signal ends the process at once.

#include "host/options.hpp"
#include "http/server.hpp"

#include <corbel/runtime.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>

namespace corbel {

/// Completes what the host has in flight, within the time-out; how much was left.
using finish_work = std::function<boost::asio::awaitable<std::size_t>(std::chrono::milliseconds)>;

/// Listens, then runs the io_context until a signal has come and the drain is over:
///
///  1. /health answers 503 "draining", other routes 503, streams get their last frame and end; connections are still taken.
///  2. finish completes the work in flight; /health goes on to answer for drain_notice at least.
///  3. The listener closes, requests under way are completed, `release` lets go of what uses the runtime, and that is shut
///     down.
///
/// options.port becomes the port that was opened. The process's exit status: 0; 1 when the port could not be opened or
/// something was left at the time-out.
int run_host(boost::asio::io_context &ctx, runtime &rt, http_server &server, host_options &options, finish_work finish,
             std::function<void()> release);

}  // namespace corbel
