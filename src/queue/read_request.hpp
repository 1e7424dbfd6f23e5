#pragma once
/// One command whose reply becomes the result of an operation, on whatever thread the pool ends it: so it ends too when the
/// pool's loop does not run any more. A script that the server does not know is sent whole, once. Callers: producer_core.

#include "redis/pool_core.hpp"

#include <corbel/redis_script.hpp>

#include <functional>
#include <memory>

namespace corbel::detail {

template <class T>
class read_request final : public redis_request {
 public:
  using read_function = std::function<T(const redis_node &)>;

  /// script: nullptr when the command runs none.
  read_request(redis_command c, const redis_script *script, operation_ptr<T> op, read_function read)
      : redis_request(std::move(c)), script_(script), op_(std::move(op)), read_(std::move(read)) {}

  /// ticket: 0 when none is needed.
  static void send(const redis_pool &pool, std::unique_ptr<read_request> r, const call &c, std::uint64_t ticket) {
    r->ticket = ticket;
    r->pool_ = pool.core();
    pool.core()->send(std::move(r), c);
  }

  void finish(result<redis_reply> r) noexcept override {
    std::unique_ptr<read_request> self(this);
    if (!r && script_ && r.error().native() == "NOSCRIPT") return send_whole(std::move(self));
    auto op = std::move(op_);
    auto outcome = r ? result<T>(read_(r->root())) : result<T>(r.error());
    self.reset();
    detail::finish(std::move(op), std::move(outcome));
  }
  bool cancellable() const noexcept override { return op_->cancellable(); }
  void on_cancel(std::function<void()> fn) override { op_->on_cancel(std::move(fn)); }

 private:
  void send_whole(std::unique_ptr<read_request> self) {
    redis_command eval("EVAL", std::exchange(script_, nullptr)->source());
    for (std::uint32_t i = 2; i < command.arguments(); ++i) eval.push(command.argument(i));
    command = std::move(eval);
    call again{.timeout = call::unlimited, .idempotent = idempotent};
    using namespace std::chrono;
    if (deadline != steady_clock::time_point::max())
      again.timeout = std::max(ceil<milliseconds>(deadline - steady_clock::now()), milliseconds(1));
    retried = false;
    auto pool = pool_;
    pool->send(std::move(self), again);
  }

  const redis_script *script_;
  operation_ptr<T> op_;
  read_function read_;
  std::shared_ptr<redis_pool_core> pool_;
};

}  // namespace corbel::detail
