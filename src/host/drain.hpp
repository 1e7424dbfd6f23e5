#pragma once
/// The life of a host: it serves until it is told to end, drains, and ends. A second signal ends the process at once.

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

/// What a host does when it drains, beside the server; each may be empty.
struct drain_steps {
  finish_work work = {};               ///< at once: claims no more, completes or hands back what it has
  finish_work flush = {};              ///< after the last request: writes what is still to be written
  std::function<void()> release = {};  ///< lets go of what uses the runtime
};

/// Listens, then runs the io_context until SIGTERM, SIGINT or POST /drain has come and the drain is over:
///
///  1. The host is not ready: /readyz and /health answer 503. Everything else is served as before, for drain_notice, so that
///     balancers can send elsewhere. `work` begins.
///  2. Event streams get their last frame and end; answers close their connections. Requests are still served.
///  3. When for a second none came but probes, the listener closes, and what is under way is completed.
///  4. `flush`, `release`, and the runtime is shut down.
///
/// All within drain_timeout. POST /drain is taken from this machine, where no proxy passed it on.
/// options.port becomes the port that was opened. The process's exit status: 0; 1 when the port could not be opened or
/// something was left at the time-out, which is logged by name.
int run_host(boost::asio::io_context &ctx, runtime &rt, http_server &server, host_options &options, drain_steps steps);

}  // namespace corbel
