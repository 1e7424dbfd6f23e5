#pragma once
/// Owns: one followed registry: its channel or its file, what was read, who waits for it. Callers: bundle_follower, the C
/// API. Thread: what is marked so is for any; the rest runs on the loader's loop.

#include "bundle/loader_core.hpp"
#include "bundle/registry_plan.hpp"
#include "redis/copy_plan.hpp"

#include <corbel/bundle_follow.hpp>
#include <corbel/redis_subscription.hpp>

#include <boost/asio/steady_timer.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace corbel::detail {

/// What a reading of the registry brought.
struct registry_text {
  std::string text = {};
  bool is_there = false;
  error why = {};  ///< it could not be read
};

/// A regular file up to what a registry may have. Blocks.
registry_text read_bundles_file(const std::string &path);

class follow_core : public std::enable_shared_from_this<follow_core> {
 public:
  follow_core(std::shared_ptr<loader_core> loader, std::optional<redis_pool> pool, bundle_follow_options options);
  ~follow_core();

  void start();
  // Any thread:
  void close() noexcept;
  std::shared_ptr<const bundle_registry> registry() const;
  error trouble() const;
  void ready(operation_ptr<std::size_t> op, call c, std::uint64_t ticket = 0);
  void cancel(std::uint64_t ticket);
  loader_core &loader() noexcept { return *loader_; }

 private:
  struct waiter {
    operation_ptr<std::size_t> op;
    std::uint64_t ticket = 0;
    std::unique_ptr<boost::asio::steady_timer> deadline;
  };

  /// Calls a member with its arguments on the loop, while this lives.
  template <class... Ps, class... As>
  void later(void (follow_core::*member)(Ps...), As... as);
  void begin();
  void stop(const error &why);
  void subscribe();
  void subscribed(const error &why);
  void receive();
  void received(const result<std::vector<redis_notice>> &batch);
  void hint(std::string_view message);
  void perform(copy_plan::action a);
  void read();
  void was_read(registry_text text);
  void take(const registry_text &text);
  void apply(registry_plan::change change);
  void loaded(const std::string &id, const error &why);
  void report(error why);
  void look_at_file_later();
  void retry_later();
  void tell_ready();
  error late(std::chrono::milliseconds timeout) const;

  const std::shared_ptr<loader_core> loader_;
  const std::shared_ptr<loop> loop_;
  std::optional<redis_pool> pool_;
  const bundle_follow_options options_;
  const std::string where_, channel_, name_;
  std::uint64_t shutdown_hook_ = 0;

  copy_plan plan_{false};
  registry_plan registry_plan_;
  std::optional<redis_subscription> subscription_;
  boost::asio::steady_timer retry_, resubscribe_, file_timer_;
  std::string last_text_, last_line_;
  std::size_t loading_ = 0;
  std::map<std::string, error> failed_;  ///< first loads that did
  bool was_read_ = false, stopped_ = false;
  error end_;
  std::uint64_t last_waiter_ = 0;
  std::map<std::uint64_t, waiter> waiting_;

  mutable std::mutex mutex_;
  std::shared_ptr<const bundle_registry> registry_ = std::make_shared<bundle_registry>();
  error trouble_;
};

}  // namespace corbel::detail
