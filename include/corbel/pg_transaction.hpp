#pragma once
/// A transaction on a connection of its own. Committed only by async_commit; destroyed before that, it is rolled back.
///
///     auto tx = co_await pool.async_begin(options, call{}, asio::use_awaitable);
///     auto r = co_await tx->async_query(statement, call{}, asio::use_awaitable);
///     auto done = co_await tx->async_commit(call{}, asio::use_awaitable);
///
/// pg_retry.hpp runs a function in one, by scope. Threads: one at a time; it may move.

#include <corbel/pg_lease.hpp>

#include <string>

namespace corbel {

struct pg_transaction_options {
  enum class isolation : std::int32_t { server_default, read_committed, repeatable_read, serializable };
  isolation level = isolation::server_default;
  bool read_only = false;
  bool deferrable = false;  ///< with serializable and read_only: waits for a snapshot that cannot fail
  /// "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY"
  std::string begin() const;
};

/// A savepoint of a transaction. Destroyed before async_release, what came after it is rolled back.
class pg_savepoint {
 public:
  pg_savepoint() noexcept = default;
  pg_savepoint(std::shared_ptr<detail::pg_connection> c, std::uint64_t lease, std::string name)
      : connection_(std::move(c)), lease_(lease), name_(std::move(name)) {}
  ~pg_savepoint() { end(); }
  pg_savepoint(pg_savepoint &&) noexcept = default;
  pg_savepoint &operator=(pg_savepoint &&o) noexcept {
    if (this != &o) {
      end();
      connection_ = std::move(o.connection_);
      lease_ = o.lease_;
      name_ = std::move(o.name_);
    }
    return *this;
  }
  /// Keeps what came after it. Signature: void(result<void>).
  template <class Token>
  auto async_release(call c, Token &&token) {
    return finish("RELEASE SAVEPOINT " + name_, c, token);
  }
  /// Undoes what came after it; the transaction goes on, even one that had failed. Signature: void(result<void>).
  template <class Token>
  auto async_rollback(call c, Token &&token) {
    return finish("ROLLBACK TO SAVEPOINT " + name_, c, token);
  }
  const std::string &name() const noexcept { return name_; }

 private:
  template <class Token>
  auto finish(std::string sql, call c, Token &token) {
    auto where = executor();
    return detail::initiate<void>(
        [connection = std::move(connection_), lease = lease_, sql = std::move(sql),
         c](detail::operation_ptr<void> op) mutable { start(connection, lease, std::move(sql), c, std::move(op)); },
        where, token);
  }
  static void start(const std::shared_ptr<detail::pg_connection> &c, std::uint64_t lease, std::string sql, call options,
                    detail::operation_ptr<void> op);
  void end() noexcept;
  detail::io_executor executor() const;
  std::shared_ptr<detail::pg_connection> connection_;
  std::uint64_t lease_ = 0;  // of which it is: the connection may have a new holder
  std::string name_;
};

class pg_transaction {
 public:
  pg_transaction() noexcept = default;
  /// On a lease on which BEGIN has succeeded.
  explicit pg_transaction(pg_lease lease) noexcept : lease_(std::move(lease)) {}

  template <class Token>
  auto async_query(pg_statement statement, call c, Token &&token) {
    return lease_.async_query(std::move(statement), c, std::forward<Token>(token));
  }
  /// Completes when the server has committed, and gives the connection back. A transaction that had failed is rolled back:
  /// status::refused, native "25P02". LOST here means: whether it was committed is not known. Signature: void(result<void>).
  template <class Token>
  auto async_commit(call c, Token &&token) {
    return finish("COMMIT", c, token);
  }
  /// Signature: void(result<void>).
  template <class Token>
  auto async_rollback(call c, Token &&token) {
    return finish("ROLLBACK", c, token);
  }
  /// Signature: void(result<pg_savepoint>).
  template <class Token>
  auto async_savepoint(call c, Token &&token) {
    return detail::initiate<pg_savepoint>(
        [connection = lease_.connection(), c](detail::operation_ptr<pg_savepoint> op) {
          start_savepoint(connection, c, std::move(op));
        },
        lease_.executor(), token);
  }

  /// For streams and COPY within the transaction. Empty once it was committed or rolled back.
  pg_lease &lease() noexcept { return lease_; }
  explicit operator bool() const noexcept { return static_cast<bool>(lease_); }

 private:
  template <class Token>
  auto finish(std::string sql, call c, Token &token) {
    auto where = lease_.executor();
    return detail::initiate<void>(
        [lease = std::move(lease_), sql = std::move(sql), c](detail::operation_ptr<void> op) mutable {
          start_finish(std::move(lease), std::move(sql), c, std::move(op));
        },
        where, token);
  }
  static void start_finish(pg_lease lease, std::string sql, call c, detail::operation_ptr<void> op);
  static void start_savepoint(const std::shared_ptr<detail::pg_connection> &c, call options,
                              detail::operation_ptr<pg_savepoint> op);
  pg_lease lease_;
};

}  // namespace corbel
