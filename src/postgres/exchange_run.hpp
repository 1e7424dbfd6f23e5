#pragma once
/// The template members of pg_exchange. Included by its kinds only.

#include "base/batch.hpp"
#include "postgres/connection.hpp"
#include "postgres/exchange.hpp"

namespace corbel::detail {

template <class F>
void pg_exchange::run(const std::shared_ptr<pg_exchange> &e, F fn) {
  auto &loop = e->connection_->home();
  if (loop.is_here()) {
    batch_scope batch;
    return fn();
  }
  loop.post([fn = std::move(fn)]() mutable {
    batch_scope batch;
    fn();
  });
}

template <class T>
bool pg_exchange::take_on(operation_ptr<T> &place, operation_ptr<T> op, const call &c) {
  error why;
  if (!is_idle())
    why = error(status::state, "one operation at a time: another one is under way on it", "postgres");
  else if (why_)
    why = why_;
  if (why) {
    finish(std::move(op), result<T>(why));
    return false;
  }
  if (op->cancellable())
    op->on_cancel([weak = weak_from_this()] {
      auto self = weak.lock();
      if (!self) return;
      run(self, [self] {
        if (!self->is_idle()) self->give_up(error(status::cancelled, "cancelled; what was under way has ended", "postgres"));
      });
    });
  place = std::move(op);
  watch(c);
  return true;
}

}  // namespace corbel::detail
