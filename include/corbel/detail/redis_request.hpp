#pragma once
/// One Redis command on its way: encoded bytes, deadline, place in a pipeline's queue, and who gets the reply. One
/// allocation holds it together with the caller's handler.

#include <corbel/call.hpp>
#include <corbel/detail/operation.hpp>
#include <corbel/redis_command.hpp>
#include <corbel/redis_reply.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace corbel::detail {

class redis_request {
 public:
  explicit redis_request(redis_command c) noexcept : command(std::move(c)) {}
  virtual ~redis_request() = default;

  /// Hands the result over and destroys *this. Exactly once; thread: the pool's I/O thread, or the caller's when refused.
  virtual void finish(result<redis_reply> r) noexcept = 0;
  virtual bool cancellable() const noexcept { return false; }
  virtual void on_cancel(std::function<void()>) {}

  redis_command command;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::chrono::steady_clock::duration budget{};  ///< the whole time it was given
  redis_request *next = nullptr;                 ///< in the pool's inbox, then unused
  std::uint64_t ticket = 0;                      ///< for cancelling; 0 when nobody can
  bool idempotent = false;
  bool retried = false;
  bool is_ping = false;  ///< the library's own
};

template <class Handler>
class handler_request final : public redis_request {
 public:
  handler_request(redis_command c, Handler h, const io_executor &fallback)
      : redis_request(std::move(c)), slot_(std::move(h), fallback) {}

  void finish(result<redis_reply> r) noexcept override {
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
auto initiate_request(Start start, io_executor fallback, redis_command command, call c, Token &token) {
  return boost::asio::async_initiate<Token, void(result<redis_reply>)>(
      [start = std::move(start), fallback, c](auto handler, redis_command cmd) mutable {
        using handler_type = std::decay_t<decltype(handler)>;
        initiation scope;
        start(std::make_unique<handler_request<handler_type>>(std::move(cmd), std::move(handler), fallback), c);
      },
      token, std::move(command));
}

}  // namespace corbel::detail
