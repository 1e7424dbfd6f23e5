#include "queue/consumer_core.hpp"

#include <fmt/format.h>

namespace corbel::detail {

using stage = message_state::stage;

namespace {
/// Messages that go back in one call have so many bytes together at most, unless one alone has more.
constexpr std::size_t hand_back_bytes = 8u << 20;
}  // namespace

error consumer_core::admit_settle(message_state &m, settle how) const {
  if (auto why = refusal()) return why;
  if (how != settle::done && how != settle::retry && how != settle::hand_back)
    return error(status::invalid,
                 fmt::format("{} is no way to settle a message: give done, retry or hand_back", static_cast<int>(how)),
                 "queue");
  if (!m.begin_settling())
    return error(status::state, fmt::format("message '{}' was settled before", m.claimed.id), "queue");
  return {};
}

void consumer_core::start_settle(message_ptr m, settle how, call c, operation_ptr<bool> op, std::uint64_t ticket) {
  ticket = make_cancellable(op, ticket);
  auto told = std::make_shared<operation_ptr<bool>>(std::move(op));
  on_loop([m = std::move(m), how, timeout = patience(c), ticket, told](consumer_core &self) {
    self.settle_now(m, how, timeout, ticket, [told](const result<bool> &r) { finish(std::move(*told), r); });
  });
}

void consumer_core::drop(message_ptr m) {
  if (forked())
    return (void)new auto(std::move(m));  // freeing it could wait for a lock of a thread that does not exist here
  if (m->phase == stage::settled || ended_) return;
  on_loop([m = std::move(m)](consumer_core &self) { self.dropped(m); });
}

void consumer_core::dropped(const message_ptr &m) {
  m->dropped = true;
  if (m->begin_settling()) settle_now(m, m->last, patience({}), next_ticket(), [](const result<bool> &) {});
}

void consumer_core::settle_now(message_ptr m, settle how, std::chrono::milliseconds timeout, std::uint64_t ticket,
                               settlement::ended_function told) {
  m->last = how;
  run_settlement(ticket, {std::shared_ptr<const claimed_message>(m, &m->claimed)}, how, timeout,
                 [this, m, told = std::move(told)](const result<bool> &r) {
                   m->phase = r ? stage::settled : stage::failed;
                   if (r || m->dropped) {
                     leases_->release(m->claimed.token);
                     plan_.settled();
                   }
                   told(r);
                   step();
                 });
}

void consumer_core::hand_back(std::uint32_t count) {
  while (count > 0) {
    claimed_list some;
    std::size_t bytes = 0;
    do {
      bytes += buffered_.back().element.size();
      some.push_back(std::make_shared<const claimed_message>(std::move(buffered_.back())));
      buffered_.pop_back();
    } while (--count > 0 && bytes < hand_back_bytes);
    handing_back_ += some.size();
    run_settlement(next_ticket(), some, settle::hand_back, patience({}), [this, some](const result<bool> &) {
      for (const auto &m : some) leases_->release(m->token);
      handing_back_ -= some.size();
    });
  }
}

void consumer_core::run_settlement(std::uint64_t ticket, claimed_list messages, settle how,
                                   std::chrono::milliseconds timeout, settlement::ended_function ended) {
  auto s =
      std::make_shared<settlement>(pool_, keys_, std::move(messages), how, timeout,
                                   [self = shared_from_this(), ticket, ended = std::move(ended)](const result<bool> &r) {
                                     self->settlements_.erase(ticket);
                                     ended(r);
                                     self->check_ended();
                                   });
  settlements_.emplace(ticket, s);
  s->start();
}

}  // namespace corbel::detail
