#pragma once
/// One statement on its way: text, parameters, deadline, place in a queue, and who gets the result. One allocation holds it
/// together with the caller's handler.

#include <corbel/call.hpp>
#include <corbel/detail/operation.hpp>
#include <corbel/pg_result.hpp>
#include <corbel/pg_statement.hpp>

#include <chrono>
#include <cstdint>

namespace corbel::detail {

class pg_request {
 public:
  explicit pg_request(pg_statement s) noexcept : statement(std::move(s)) {}
  virtual ~pg_request() = default;

  /// Hands the result over and destroys *this. Exactly once; thread: the pool's I/O thread, or the caller's when refused.
  virtual void finish(result<pg_result> r) noexcept = 0;
  virtual bool cancellable() const noexcept { return false; }
  virtual void on_cancel(std::function<void()>) {}

  pg_statement statement;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::chrono::steady_clock::time_point since{};  ///< when it was given to the pool
  pg_request *next = nullptr;                     ///< in an inbox, then unused
  std::uint64_t ticket = 0;                       ///< for cancelling; 0 when nobody can
  bool on_lease = false;                          ///< stays on its connection
  bool may_repeat = false;                        ///< may be sent once more after a loss
  bool repeated = false;                          ///< was
  bool alone = false;                             ///< shares no round trip: it was sent in one that failed
  bool refreshed = false;                         ///< was prepared again, because the server had forgotten it
};

template <class Handler>
class pg_handler_request final : public pg_request {
 public:
  pg_handler_request(pg_statement s, Handler h, const io_executor &fallback)
      : pg_request(std::move(s)), slot_(std::move(h), fallback) {}

  void finish(result<pg_result> r) noexcept override {
    slot_.deliver([this] { delete this; }, std::move(r));
  }
  bool cancellable() const noexcept override { return slot_.cancellation_slot().is_connected(); }
  void on_cancel(std::function<void()> fn) override {
    auto slot = slot_.cancellation_slot();
    if (slot.is_connected()) slot.assign([fn = std::move(fn)](boost::asio::cancellation_type) { fn(); });
  }

 private:
  handler_slot<Handler> slot_;
};

template <class Start, class Token>
auto initiate_pg_request(Start start, io_executor fallback, pg_statement statement, call c, Token &token) {
  return boost::asio::async_initiate<Token, void(result<pg_result>)>(
      [start = std::move(start), fallback, c](auto handler, pg_statement s) mutable {
        using handler_type = std::decay_t<decltype(handler)>;
        initiation scope;
        start(std::make_unique<pg_handler_request<handler_type>>(std::move(s), std::move(handler), fallback), c);
      },
      token, std::move(statement));
}

}  // namespace corbel::detail
