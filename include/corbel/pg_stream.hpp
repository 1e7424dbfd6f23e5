#pragma once
/// What flows over a lease piece by piece: rows of a result larger than memory, COPY in, COPY out. The server is slowed down
/// when the reader is slow; at most one chunk is held. Made by a lease (pg_lease.hpp); the lease stays busy until the
/// stream has ended. The lease may be freed first: that ends the stream.
///
/// Threads: one at a time; one operation at a time, a second one is status::state. Deadlines: each operation's own.

#include <corbel/call.hpp>
#include <corbel/detail/operation.hpp>
#include <corbel/pg_result.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace corbel {

namespace detail {
class pg_exchange;  // what is under way on a connection that carries nothing else
}

/// Rows of one statement.
class pg_stream {
 public:
  pg_stream() noexcept = default;
  explicit pg_stream(std::shared_ptr<detail::pg_exchange> e) noexcept : exchange_(std::move(e)) {}
  /// Not at its end: the statement is cancelled on the server.
  ~pg_stream() { close(); }
  pg_stream(pg_stream &&) noexcept = default;
  pg_stream &operator=(pg_stream &&o) noexcept {
    if (this != &o) {
      close();
      exchange_ = std::move(o.exchange_);
    }
    return *this;
  }

  /// The next rows; none (empty()) at the end, with the command's tag. Signature: void(result<pg_result>).
  template <class Token>
  auto async_next(call c, Token &&token) {
    return detail::initiate<pg_result>(
        [e = exchange_, c](detail::operation_ptr<pg_result> op) { start_next(e, c, std::move(op)); }, executor(), token);
  }
  void close() noexcept;
  detail::io_executor executor() const;
  const std::shared_ptr<detail::pg_exchange> &exchange() const noexcept { return exchange_; }

 private:
  static void start_next(const std::shared_ptr<detail::pg_exchange> &e, call c, detail::operation_ptr<pg_result> op);
  std::shared_ptr<detail::pg_exchange> exchange_;
};

/// Data towards the server. Nothing of it is kept unless async_finish succeeds.
class pg_copy_in {
 public:
  pg_copy_in() noexcept = default;
  explicit pg_copy_in(std::shared_ptr<detail::pg_exchange> e) noexcept : exchange_(std::move(e)) {}
  /// Not finished: the COPY fails on the server and leaves no row.
  ~pg_copy_in() { close(); }
  pg_copy_in(pg_copy_in &&) noexcept = default;
  pg_copy_in &operator=(pg_copy_in &&o) noexcept {
    if (this != &o) {
      close();
      exchange_ = std::move(o.exchange_);
    }
    return *this;
  }

  /// Any bytes of the format that the statement named; lines may be cut anywhere. Completes when all but what libpq buffers
  /// is with the system. Signature: void(result<void>).
  template <class Token>
  auto async_write(std::string bytes, call c, Token &&token) {
    return detail::initiate<void>(
        [e = exchange_, bytes = std::move(bytes), c](detail::operation_ptr<void> op) mutable {
          start_write(e, std::move(bytes), c, std::move(op));
        },
        executor(), token);
  }
  /// Ends the data; completes with the count of rows copied. Signature: void(result<std::uint64_t>).
  template <class Token>
  auto async_finish(call c, Token &&token) {
    return detail::initiate<std::uint64_t>(
        [e = exchange_, c](detail::operation_ptr<std::uint64_t> op) { start_finish(e, c, std::move(op)); }, executor(),
        token);
  }
  void close() noexcept;
  detail::io_executor executor() const;
  const std::shared_ptr<detail::pg_exchange> &exchange() const noexcept { return exchange_; }

 private:
  static void start_write(const std::shared_ptr<detail::pg_exchange> &e, std::string bytes, call c,
                          detail::operation_ptr<void> op);
  static void start_finish(const std::shared_ptr<detail::pg_exchange> &e, call c, detail::operation_ptr<std::uint64_t> op);
  std::shared_ptr<detail::pg_exchange> exchange_;
};

/// Data from the server.
class pg_copy_out {
 public:
  pg_copy_out() noexcept = default;
  explicit pg_copy_out(std::shared_ptr<detail::pg_exchange> e) noexcept : exchange_(std::move(e)) {}
  ~pg_copy_out() { close(); }
  pg_copy_out(pg_copy_out &&) noexcept = default;
  pg_copy_out &operator=(pg_copy_out &&o) noexcept {
    if (this != &o) {
      close();
      exchange_ = std::move(o.exchange_);
    }
    return *this;
  }

  /// Whole rows, some 64 KiB of them; empty at the end. Signature: void(result<std::string>).
  template <class Token>
  auto async_read(call c, Token &&token) {
    return detail::initiate<std::string>(
        [e = exchange_, c](detail::operation_ptr<std::string> op) { start_read(e, c, std::move(op)); }, executor(), token);
  }
  void close() noexcept;
  detail::io_executor executor() const;
  const std::shared_ptr<detail::pg_exchange> &exchange() const noexcept { return exchange_; }

 private:
  static void start_read(const std::shared_ptr<detail::pg_exchange> &e, call c, detail::operation_ptr<std::string> op);
  std::shared_ptr<detail::pg_exchange> exchange_;
};

}  // namespace corbel
