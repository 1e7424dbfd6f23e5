#pragma once
/// The pools of one process, sized by the gateway document: for `ingress` and `metrics` three of Redis (async, async_decode,
/// sync), for `proc` and others one that all share; and one of PostgreSQL.
///
///     corbel::pools pools(rt, loaded.reading.settings);
///     corbel::gateway_config config(rt, pools.redis(), std::move(loaded));
///     pools.follow(config);                                    // resized live whenever the document changes
///     auto b = co_await pools.async_budget({.instances = 3}, asio::use_awaitable);
///     if (b && b->is_over()) warn(corbel::budget_table(*b));
///
/// Threads: any. Copies are the same pools; they close with the last copy and the last handle on each.

#include <corbel/budget.hpp>
#include <corbel/gateway.hpp>
#include <corbel/pg_pool.hpp>
#include <corbel/redis_pool.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace corbel {

/// What the document does not say. URL, kind, max_size and utf8_replies of Redis and min_size and max_size of PostgreSQL are
/// taken from the settings.
struct pools_options {
  redis_options redis = {};
  pg_options postgres = {};  ///< conninfo empty: from the environment, see pg_options
};

struct budget_request {
  std::int64_t instances = 1;
  std::int64_t workers = 0;                   ///< processes of one instance; 0: processes_per_instance
  std::vector<budget_component> others = {};  ///< planned on the same servers too
};

namespace detail {
class pools_core;
}

class pools {
 public:
  /// Opens the Redis pools; that of PostgreSQL is opened when it is asked for. A cap of redis_max_connections that is not
  /// set means unbounded, and a warning. Throws failure.
  pools(runtime &rt, const gateway_settings &settings, pools_options options = {});

  /// kind: "async", "async_decode" (text only, see redis_options::utf8_replies), "sync"; where one pool is shared, "async",
  /// "sync" and "shared" all name that one. Empty: "async". Throws failure of status::invalid for another.
  redis_pool redis(std::string_view kind = {}) const;
  /// Opened with the first call. Throws failure when the connection settings are wrong.
  pg_pool postgres() const;

  /// Resizes what is open, live: growth at once, shrinking as connections come back; no caller fails, no lease is cut.
  /// status::invalid for another component's settings. Connection settings stay as they are.
  result<void> apply(const gateway_settings &settings);
  /// Applies every change of the document from now on, for as long as both live.
  void follow(gateway_config &config);
  std::shared_ptr<const gateway_settings> settings() const;

  /// Asks the servers what they allow and what others hold, and compares. Who is not told apart by name: clients of runtimes
  /// of the same name count as ours, in every instance. Over budget: the health part "budget:redis" or "budget:postgres" is
  /// degraded, with the arithmetic, which is logged too. A server that cannot be asked in time is `unknown`; for PostgreSQL
  /// pools.pg_max_connections is used then. Default deadline: 5000 ms. Signature: void(result<connection_budget>).
  template <class Token>
  auto async_budget(budget_request request, call c, Token &&token) const {
    return detail::initiate<connection_budget>(
        [this, request = std::move(request), c](detail::operation_ptr<connection_budget> op) mutable {
          start_budget(std::move(request), c, std::move(op));
        },
        executor(), token);
  }
  template <class Token>
  auto async_budget(budget_request request, Token &&token) const {
    return async_budget(std::move(request), call{}, std::forward<Token>(token));
  }

  /// As in the platform's heartbeats, with what is missing there: {"postgres": {"min_size", "max_size", "size", "available",
  /// "in_use", "waiting", "waits", "wait_seconds", "refused"} or null, "redis": {"async": {"max_connections", "in_use",
  /// "available", "total", "waiting", "waits", "wait_seconds", "refused"}, "async_decode": ... or null, "sync": ... or
  /// null}}. An unbounded Redis pool says 2147483648 there. As metrics the same is told by each pool.
  std::string json() const;

  const std::shared_ptr<detail::pools_core> &core() const noexcept { return core_; }

 private:
  detail::io_executor executor() const;
  void start_budget(budget_request request, call c, detail::operation_ptr<connection_budget> op) const;
  std::shared_ptr<detail::pools_core> core_;
};

}  // namespace corbel
