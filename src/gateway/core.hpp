#pragma once
/// src/gateway owns where the gateway document comes from, how it is followed, the pools that it sizes and the budget of
/// connections. Callers: hosts and the C API, through <corbel/gateway.hpp> and <corbel/pools.hpp>. Threads: settings and
/// handles are for any thread; what follows Redis runs on its pool's loop; listeners run on the listener thread. The
/// environment is given in as a function; files are read by load_gateway only, on the caller's thread.
///
/// This file: one followed document.

#include "redis/copy_plan.hpp"
#include "redis/pool_core.hpp"
#include "runtime/runtime_core.hpp"

#include <corbel/gateway.hpp>
#include <corbel/redis_subscription.hpp>

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace corbel::detail {

class gateway_core : public std::enable_shared_from_this<gateway_core> {
 public:
  using settings_ptr = std::shared_ptr<const gateway_settings>;

  gateway_core(std::shared_ptr<runtime_core> rt, const redis_pool &pool, gateway_load start, gateway_config_options options);
  ~gateway_core();

  void start();
  /// Any thread. Tells nothing more and leaves the channel.
  void close() noexcept;

  // Any thread:
  /// The settings, as that component reads the document, and their source; what changed is left out. Empty: the own.
  gateway_change now(const std::string &component = {}) const;
  settings_ptr current(const std::string &component = {}) const { return now(component).settings; }
  std::string source() const;
  error refused() const;
  std::uint64_t listen(gateway_config::listener fn, std::string component);
  bool unlisten(std::uint64_t id);
  void ready(operation_ptr<void> op, const call &c);
  io_executor executor() const { return pool_.executor(); }
  runtime_core &runtime() noexcept { return *runtime_; }

 private:
  struct waiter {
    operation_ptr<void> op;
    std::unique_ptr<boost::asio::steady_timer> deadline;
  };
  /// One listener, with what it was told last.
  struct told {
    gateway_config::listener fn;
    std::string component;  // empty: the document's own
    settings_ptr last;
    std::shared_ptr<listener> thread;
  };

  void stop(const error &why);
  void subscribe();
  void receive();
  void received(const result<std::vector<redis_notice>> &batch);
  void perform(copy_plan::action a);
  void read_copy();
  void write_copy();
  void publish_copy();
  void ended(const char *what, const error &why);
  void retry_later();
  void take_update(std::string_view message);
  void take(std::string_view document, const std::string &source);
  void adopt(gateway_settings s, std::string_view document, const std::string &source);
  void refuse(error why);
  void tell_ready(const result<void> &r);
  void tell(const std::shared_ptr<told> &who);
  void write_metrics(metrics_writer &w) const;

  const std::shared_ptr<runtime_core> runtime_;
  const redis_pool pool_;
  const gateway_config_options options_;
  const std::string document_;  // what a forced start writes
  const std::string key_, channel_;
  std::uint64_t metrics_source_ = 0;

  // On the pool's loop:
  copy_plan plan_;
  std::optional<redis_subscription> subscription_;
  boost::asio::steady_timer retry_, resubscribe_;
  std::map<std::uint64_t, waiter> waiting_;
  std::uint64_t last_waiter_ = 0;
  std::string last_trouble_;  // so that a lasting one is logged once
  std::atomic<bool> stopped_{false};
  error end_;

  mutable std::mutex mutex_;
  settings_ptr current_;
  std::string source_;
  std::string document_now_;  // that current_ was read from
  error refused_;
  std::map<std::uint64_t, std::shared_ptr<told>> listeners_;
  std::uint64_t last_listener_ = 0;
  std::uint64_t applied_ = 0, unchanged_ = 0, refusals_ = 0;
};

}  // namespace corbel::detail
