#pragma once
/// A whole connection for one caller: statements in order, transactions, streams, COPY. Taken from a pool; destroying it
/// gives the connection back: an open transaction is rolled back first, what cannot be restored is discarded.
///
///     auto lease = co_await pool.async_lease(asio::use_awaitable);
///     auto r = co_await lease->async_query(pg_statement("SELECT ..."), {}, asio::use_awaitable);
///
/// Threads: one at a time; it may move. A statement past its deadline ends with TIMEOUT and is cancelled on the server;
/// statements that were sent behind it on the same lease may be hit by that cancel too.

#include <corbel/detail/pg_request.hpp>
#include <corbel/pg_stream.hpp>

#include <memory>
#include <string>

namespace corbel {

namespace detail {
class pg_connection;
}

class pg_lease {
 public:
  pg_lease() noexcept = default;
  explicit pg_lease(std::shared_ptr<detail::pg_connection> c) noexcept : connection_(std::move(c)) {}
  ~pg_lease() { release(); }
  pg_lease(pg_lease &&) noexcept = default;
  pg_lease &operator=(pg_lease &&o) noexcept {
    if (this != &o) {
      release();
      connection_ = std::move(o.connection_);
    }
    return *this;
  }
  explicit operator bool() const noexcept { return connection_ != nullptr; }

  /// One statement, in order. Signature: void(result<pg_result>). A server error is status::refused with the SQLSTATE as
  /// native() and its details as field().
  template <class Token>
  auto async_query(pg_statement statement, call c, Token &&token) {
    return detail::initiate_pg_request(
        [connection = connection_](std::unique_ptr<detail::pg_request> r, call given) {
          start_query(connection, std::move(r), given);
        },
        executor(), std::move(statement), c, token);
  }
  template <class Token>
  auto async_query(pg_statement statement, Token &&token) {
    return async_query(std::move(statement), call{}, std::forward<Token>(token));
  }

  /// A result larger than memory, in chunks of at most chunk_rows rows. Completes when the first chunk is there or the
  /// statement failed; until the stream ends, other statements of the lease wait. Signature: void(result<pg_stream>).
  template <class Token>
  auto async_stream(pg_statement statement, std::size_t chunk_rows, call c, Token &&token) {
    return detail::initiate<pg_stream>(
        [connection = connection_, statement = std::move(statement), chunk_rows,
         c](detail::operation_ptr<pg_stream> op) mutable {
          start_stream(connection, std::move(statement), chunk_rows, c, std::move(op));
        },
        executor(), token);
  }
  template <class Token>
  auto async_stream(pg_statement statement, Token &&token) {
    return async_stream(std::move(statement), 256, call{}, std::forward<Token>(token));
  }

  /// "COPY t FROM STDIN ...". Completes when the server is ready for data. Signature: void(result<pg_copy_in>).
  template <class Token>
  auto async_copy_in(std::string sql, call c, Token &&token) {
    return detail::initiate<pg_copy_in>(
        [connection = connection_, sql = std::move(sql), c](detail::operation_ptr<pg_copy_in> op) mutable {
          start_copy_in(connection, std::move(sql), c, std::move(op));
        },
        executor(), token);
  }
  /// "COPY ... TO STDOUT ...". Signature: void(result<pg_copy_out>).
  template <class Token>
  auto async_copy_out(std::string sql, call c, Token &&token) {
    return detail::initiate<pg_copy_out>(
        [connection = connection_, sql = std::move(sql), c](detail::operation_ptr<pg_copy_out> op) mutable {
          start_copy_out(connection, std::move(sql), c, std::move(op));
        },
        executor(), token);
  }

  /// Gives the connection back now. What is under way ends: a statement, stream or COPY with CANCELLED.
  void release() noexcept;
  /// The connection is closed instead of being used again.
  void discard() noexcept;

  /// The server process that serves it, as in pg_stat_activity.pid.
  int backend() const noexcept;
  detail::io_executor executor() const;
  const std::shared_ptr<detail::pg_connection> &connection() const noexcept { return connection_; }

 private:
  using connection_ptr = std::shared_ptr<detail::pg_connection>;
  static void start_query(const connection_ptr &c, std::unique_ptr<detail::pg_request> r, call options);
  static void start_stream(const connection_ptr &c, pg_statement s, std::size_t chunk_rows, call options,
                           detail::operation_ptr<pg_stream> op);
  static void start_copy_in(const connection_ptr &c, std::string sql, call options, detail::operation_ptr<pg_copy_in> op);
  static void start_copy_out(const connection_ptr &c, std::string sql, call options, detail::operation_ptr<pg_copy_out> op);
  connection_ptr connection_;
};

}  // namespace corbel
