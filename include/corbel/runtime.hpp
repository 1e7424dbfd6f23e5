#pragma once
/// The runtime: I/O threads of its own, or the host's io_context; the log; the metrics; one bounded shutdown.
///
///     corbel::runtime rt;                        // one I/O thread of its own
///     asio::io_context ctx{1};
///     corbel::runtime on_mine{ctx};              // everything runs inside ctx.run(), on its one thread
///
/// Completions run on the handler's associated executor; without one, on the runtime's I/O thread, where a handler must
/// neither block nor throw. A runtime and all handles made from it may be destroyed in any order.

#include <corbel/detail/operation.hpp>
#include <corbel/log.hpp>
#include <corbel/result.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace corbel {

namespace detail {
class runtime_core;
}

struct runtime_options {
  unsigned io_threads = 1;            ///< 1 to 64; ignored on a host's io_context
  log_level level = log_level::info;  ///< what is less urgent is not logged
  std::string name = "corbel";        ///< service name, in log lines and CLIENT SETNAME
  std::string instance = {};          ///< empty: the environment's INSTANCE_ID, else the host name
  log_function log = {};              ///< runs on the listener thread
  bool log_stdout = false;            ///< log lines on standard output too
  log_form form = log_form::automatic;
};

class runtime {
 public:
  /// Starts io_threads threads. Throws failure when an option is wrong or a thread cannot be started.
  explicit runtime(runtime_options options = {});
  /// Runs on the host's io_context, which must be run by at most one thread at a time and outlive all handles.
  explicit runtime(boost::asio::io_context &host, runtime_options options = {});
  /// Another handle on a runtime that is open already, for the library's own parts.
  explicit runtime(std::shared_ptr<detail::runtime_core> core) noexcept;
  ~runtime();
  runtime(runtime &&) noexcept;
  runtime &operator=(runtime &&) noexcept;

  /// Refuses new calls, gives those under way until the deadline, cancels the rest, joins the threads. Blocks; on an I/O,
  /// wake or listener thread it is refused with status::state. An error of status::timeout names what was left.
  result<void> shutdown(std::chrono::milliseconds timeout);

  /// The same without blocking; for a runtime on the host's io_context. Signature: void(result<void>).
  template <class Token>
  auto async_shutdown(std::chrono::milliseconds timeout, Token &&token) {
    return detail::initiate<void>(
        [this, timeout](detail::operation_ptr<void> op) { start_shutdown(timeout, std::move(op)); }, executor(), token);
  }

  /// Metrics in Prometheus text format 0.0.4. Any thread.
  std::string metrics_text() const;
  /// Writes one line through the log. Any thread; never blocks.
  void log(log_line line) const;
  /// Changes what is logged, live: of every part without a level of its own, or of one part ("redis" also means
  /// "redis:main"). What is less urgent than the level is not logged.
  void set_log_level(log_level level) const;
  void set_log_level(const std::string &part, log_level level) const;
  /// An executor of the runtime: timers and coroutines of the caller's own may run there if they never block.
  boost::asio::io_context::executor_type executor() const;

  const std::shared_ptr<detail::runtime_core> &core() const noexcept { return core_; }

 private:
  void start_shutdown(std::chrono::milliseconds timeout, detail::operation_ptr<void> op);
  std::shared_ptr<detail::runtime_core> core_;
};

}  // namespace corbel
