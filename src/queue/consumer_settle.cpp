#include "queue/consumer_core.hpp"
#include "queue/refusal.hpp"
#include "queue/settlement.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

namespace corbel::detail {

using stage = message_state::stage;

void consumer_core::settle_message(std::shared_ptr<message_state> m, settle how, call c, operation_ptr<bool> op) {
  if (forked()) return finish(std::move(op), result<bool>(forked_error()));
  if (how != settle::done && how != settle::retry && how != settle::hand_back) {
    return refuse(
        executor(), std::move(op),
        error(status::invalid,
              fmt::format("{} is no way to settle a message: give done, retry or hand_back", static_cast<int>(how)),
              "queue"));
  }
  auto was = stage::held;
  if (!m->phase.compare_exchange_strong(was, stage::settling) &&
      !(was == stage::failed && m->phase.compare_exchange_strong(was, stage::settling))) {
    return refuse(executor(), std::move(op),
                  error(status::state, fmt::format("message '{}' was settled before", m->claimed.id), "queue"));
  }
  auto waiting = std::make_shared<operation_ptr<bool>>(std::move(op));
  if ((*waiting)->cancellable()) {
    (*waiting)->on_cancel([weak = std::weak_ptr(waiting), executor = executor()] {
      boost::asio::post(executor, [weak] {
        auto pending = weak.lock();
        if (!pending || !*pending) return;
        finish(std::move(*pending), result<bool>(error(status::cancelled, "cancelled; the settling itself goes on", "queue",
                                                       {}, error::maybe_applied)));
      });
    });
  }
  boost::asio::post(executor(), [self = shared_from_this(), m = std::move(m), how, timeout = patience(c), waiting] {
    self->begin_settle(m, how, timeout, [waiting](const result<bool> &r) {
      if (*waiting) finish(std::move(*waiting), r);
    });
  });
}

void consumer_core::drop(std::shared_ptr<message_state> m) {
  if (forked())
    return (void)new auto(std::move(m));  // freeing it could wait for a lock of a thread that does not exist here
  if (m->phase == stage::settled) return;
  boost::asio::post(executor(), [self = shared_from_this(), m = std::move(m)] { self->dropped(m); });
}

void consumer_core::dropped(const std::shared_ptr<message_state> &m) {
  m->dropped = true;
  auto was = m->phase.load();
  if (was != stage::held && was != stage::failed) return;
  m->phase = stage::settling;
  begin_settle(m, m->last, patience({}), [](const result<bool> &) {});
}

void consumer_core::begin_settle(std::shared_ptr<message_state> m, settle how, std::chrono::milliseconds timeout,
                                 std::function<void(const result<bool> &)> told) {
  m->last = how;
  auto ended = [self = shared_from_this(), m, told = std::move(told)](const result<bool> &r) {
    m->phase = r ? stage::settled : stage::failed;
    if (r || m->dropped) {
      self->leases_->release(m->claimed.token);
      self->plan_.settled();
    }
    told(r);
    self->step();
    self->check_ended();
  };
  std::shared_ptr<const claimed_message> claimed(m, &m->claimed);
  std::make_shared<settlement>(pool_, keys_, std::move(claimed), how, timeout, std::move(ended))->start();
}

void consumer_core::hand_back(claimed_message m) {
  ++handing_back_;
  auto ended = [self = shared_from_this(), token = m.token](const result<bool> &) {
    self->leases_->release(token);
    --self->handing_back_;
    self->check_ended();
  };
  auto claimed = std::make_shared<const claimed_message>(std::move(m));
  std::make_shared<settlement>(pool_, keys_, std::move(claimed), settle::hand_back, patience({}), std::move(ended))->start();
}

}  // namespace corbel::detail
