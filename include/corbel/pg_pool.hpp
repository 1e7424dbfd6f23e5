#pragma once
/// A PostgreSQL pool: connections that independent statements of many callers share, each with its own outcome, and leases
/// of whole connections, all under one cap. It connects when there is work, and keeps min_size connections warm.
///
///     corbel::pg_pool pg(rt, {.conninfo = "postgresql://app@db/app", .max_size = 8});
///     auto r = co_await pg.async_query(corbel::pg_statement("SELECT 1"), asio::use_awaitable);
///     if (r) use(r->get<int>(0, 0)); else log(r.error().message());
///
/// Threads: a pool may be used by any thread at once. On shared connections no order is promised between statements; on a
/// lease they run in order. Statements that change or hold a connection (BEGIN, SET, LISTEN, COPY, ...) need a lease.
/// Copies of a pool are the same pool; it closes with the last.

#include <corbel/detail/pg_request.hpp>
#include <corbel/pg_lease.hpp>
#include <corbel/pg_transaction.hpp>
#include <corbel/runtime.hpp>

#include <memory>
#include <string>

namespace corbel {

/// Durations of 0 or less switch off where it says "never".
struct pg_options {
  /// "postgresql://user:password@host1,host2:5432/db?sslmode=verify-full" or "host=... dbname=...". What it leaves out comes
  /// from PGHOST, PGPASSWORD and so on, as with libpq. Empty: from POSTGRES_HOST, _PORT (5434), _USER (postgres), _PASSWORD
  /// (postgres), _DATABASE (postgres), _SSL, _SSL_MODE, _SSL_ROOT_CERT where one of them is set, else from PG* alone.
  std::string conninfo = {};
  std::string kind = "postgres";      ///< the pool's name in log, metrics and health
  std::uint32_t min_size = 0;         ///< connections kept open though unused
  std::uint32_t max_size = 10;        ///< never passed; CORBEL_UNBOUNDED: no cap
  std::uint32_t max_waiting = 65536;  ///< callers that wait, for leases and with statements, each
  std::uint32_t max_connecting = 4;   ///< connects under way at once
  std::uint32_t max_prepared = 256;   ///< prepared statements kept per connection; 0: off, for transaction-mode poolers
  std::chrono::milliseconds connect_timeout{5000};   ///< of one try, over all hosts
  std::chrono::milliseconds call_timeout{30000};     ///< of a statement, waiting included; call::unlimited: none
  std::chrono::milliseconds acquire_timeout{10000};  ///< of a wait for a lease
  std::chrono::milliseconds idle_check{30000};       ///< an unused connection is asked that often; <= 0: never
  std::chrono::milliseconds lifetime{1800000};       ///< then replaced when unused, up to 10 % earlier; <= 0: never
  std::chrono::milliseconds max_idle{300000};        ///< unused ones above min_size are closed; <= 0: never
  std::chrono::milliseconds share{50};  ///< a statement that runs longer has its connection for itself; <= 0: never
  std::chrono::milliseconds cancel_timeout{5000};  ///< a cancelled statement that has not ended then loses its connection
  bool discard_all = false;                        ///< DISCARD ALL when a lease comes back
  /// With at most 4 statements unanswered, all sent by handlers of results on the I/O thread itself, on the only connection
  /// in use, it looks for the answer this long before it sleeps, where that turns out to help: a near server. <= 0: never
  std::chrono::microseconds busy_poll{100};
};

/// What may change while the pool lives.
struct pg_limits {
  std::uint32_t min_size = 0, max_size = 10, max_waiting = 65536;
};

struct pg_stats {
  std::uint32_t min = 0, max = 0;  ///< max: CORBEL_UNBOUNDED where there is no cap
  std::uint32_t open = 0;          ///< connected: idle + in_use
  std::uint32_t idle = 0;
  std::uint32_t in_use = 0;      ///< leased + sharing + listening
  std::uint32_t leased = 0;      ///< by callers, or being restored after
  std::uint32_t sharing = 0;     ///< carrying statements of async_query
  std::uint32_t listening = 0;   ///< the one for LISTEN
  std::uint32_t connecting = 0;  ///< being opened
  std::uint32_t waiting = 0;     ///< callers that wait for a lease
  std::uint32_t queued = 0;      ///< statements that wait to be sent
  std::uint32_t unanswered = 0;  ///< statements sent and not answered
  std::uint64_t waits = 0;       ///< leases that had to wait
  std::uint64_t waited_ms = 0;   ///< altogether, those given up too
  std::uint64_t refused = 0;     ///< calls refused or given up because a bound was reached
  std::uint64_t connects = 0;    ///< connections made
  std::uint64_t connect_failures = 0;
  std::uint64_t reconnects = 0;  ///< connections made after one was lost
  std::uint64_t statements = 0;  ///< answered
  std::uint64_t errors = 0;      ///< answered with an error of the server
  std::uint64_t lost = 0;        ///< sent, on a connection that was lost
  std::uint64_t timeouts = 0;
  std::uint64_t cancels = 0;   ///< cancel requests sent to the server
  std::uint64_t repeated = 0;  ///< statements sent again: idempotent ones, and those that the server had not run
};

namespace detail {
class pg_pool_core;
}

class pg_pool {
 public:
  /// Does not wait for a connection. Throws failure when an option or the settings are wrong.
  pg_pool(runtime &rt, pg_options options);

  /// One statement on a shared connection. Signature: void(result<pg_result>). A server error is status::refused with the
  /// SQLSTATE as native() and its details as field(). One whose deadline passes ends with TIMEOUT; it is cancelled on the
  /// server only where that can hit nobody else.
  template <class Token>
  auto async_query(pg_statement statement, call c, Token &&token) const {
    return detail::initiate_pg_request(
        [core = core_](std::unique_ptr<detail::pg_request> r, call given) { start_query(core, std::move(r), given); },
        executor(), std::move(statement), c, token);
  }
  template <class Token>
  auto async_query(pg_statement statement, Token &&token) const {
    return async_query(std::move(statement), call{}, std::forward<Token>(token));
  }
  /// The same from a thread that may block. Never on an I/O thread: status::state there.
  result<pg_result> query(pg_statement statement, call c = {}) const;

  /// Waits in FIFO order for a connection of its own. Signature: void(result<pg_lease>).
  template <class Token>
  auto async_lease(call c, Token &&token) const {
    return detail::initiate<pg_lease>(
        [core = core_, c](detail::operation_ptr<pg_lease> op) { start_lease(core, std::move(op), c); }, executor(), token);
  }
  template <class Token>
  auto async_lease(Token &&token) const {
    return async_lease(call{}, std::forward<Token>(token));
  }
  /// An idle connection at once, or an empty lease. Never waits, never connects. Any thread.
  pg_lease try_lease() const noexcept;

  /// A lease on which a transaction has begun. Signature: void(result<pg_transaction>).
  template <class Token>
  auto async_begin(const pg_transaction_options &options, call c, Token &&token) const {
    return detail::initiate<pg_transaction>(
        [core = core_, sql = options.begin(), c](detail::operation_ptr<pg_transaction> op) mutable {
          start_begin(core, std::move(sql), std::move(op), c);
        },
        executor(), token);
  }

  /// New limits, live: growth at once, shrinking by closing idle connections now and others when they come back. Leases in
  /// use are never cut. status::invalid when min_size > max_size or max_size is 0. Any thread.
  result<void> apply(pg_limits limits);
  result<void> resize(std::uint32_t min_size, std::uint32_t max_size);
  pg_limits limits() const;

  /// Refuses new calls, lets those under way complete until the deadline, closes. Signature: void(result<void>).
  template <class Token>
  auto async_close(call c, Token &&token) {
    return detail::initiate<void>([core = core_, c](detail::operation_ptr<void> op) { start_close(core, std::move(op), c); },
                                  executor(), token);
  }

  pg_stats stats() const;
  detail::io_executor executor() const;
  const std::shared_ptr<detail::pg_pool_core> &core() const noexcept { return core_; }

 private:
  using core_ptr = std::shared_ptr<detail::pg_pool_core>;
  static void start_query(const core_ptr &core, std::unique_ptr<detail::pg_request> r, call c);
  static void start_lease(const core_ptr &core, detail::operation_ptr<pg_lease> op, call c);
  static void start_begin(const core_ptr &core, std::string sql, detail::operation_ptr<pg_transaction> op, call c);
  static void start_close(const core_ptr &core, detail::operation_ptr<void> op, call c);
  core_ptr core_;  // a handle on the core: the last one to go closes the pool
};

}  // namespace corbel
