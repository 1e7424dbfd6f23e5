// What is asked of a producer beside puts, and how it ends: depth, cancelling, drain.
#include "queue/producer_core.hpp"
#include "redis/pool_core.hpp"

#include <fmt/format.h>

namespace corbel::detail {

loop &producer_core::home() noexcept { return pool_.core()->home(); }

bool producer_core::executor_is_here() const noexcept { return pool_.executor().running_in_this_thread(); }

void producer_core::depth(call c, operation_ptr<std::int64_t> op, std::uint64_t ticket) {
  if (auto why = refusal()) return finish(std::move(op), result<std::int64_t>(why));
  c.idempotent = true;
  auto [script, command] = protocol_->stats();
  auto told = std::make_shared<operation_ptr<std::int64_t>>(std::move(op));
  if (ticket == 0) ticket = next_ticket();
  if ((*told)->cancellable()) {
    (*told)->on_cancel([weak = weak_from_this(), ticket] {
      if (auto core = weak.lock()) core->home().post([core, ticket] { core->cancel(ticket); });
    });
  }
  home().post([self = shared_from_this(), ticket, told] { self->depths_.emplace(ticket, told); });
  async_run(pool_, script, std::move(command), c,
            boost::asio::bind_executor(pool_.executor(), [self = shared_from_this(), ticket, told](result<redis_reply> r) {
              self->depths_.erase(ticket);
              if (!*told) return;
              finish(std::move(*told), r ? result<std::int64_t>(self->protocol_->read_stats(r->root()).ready)
                                         : result<std::int64_t>(r.error()));
              self->check_idle();
            }));
}

void producer_core::cancel(std::uint64_t ticket) {
  inbox_.run(*this);  // what is to be cancelled may be there still, for another thread's post to bring
  batch_scope batch;
  if (auto d = depths_.find(ticket); d != depths_.end()) {
    auto told = d->second;
    depths_.erase(d);
    if (*told)
      finish(std::move(*told), result<std::int64_t>(error(status::cancelled, "the question was cancelled", "queue")));
    return;
  }
  for (auto &p : waiting_) {
    if (p.ticket == ticket && p.op)
      return finish(std::move(p.op),
                    result<put_receipt>(error(status::cancelled, "the put was cancelled before it was sent", "queue")));
  }
  for (auto &[number, s] : calls_) {
    for (auto &p : s->callers) {
      if (p.ticket == ticket && p.op)
        return finish(std::move(p.op),
                      result<put_receipt>(error(status::cancelled, "the put was cancelled after it was sent", "queue", {},
                                                error::maybe_applied)));
    }
  }
}

void producer_core::check_idle() {
  if (idle_ && waiting_.empty() && calls_.empty() && depths_.empty()) std::exchange(idle_, nullptr)();
}

std::string producer_core::left() const {
  std::size_t puts = 0;
  for (const auto &p : waiting_) puts += p.op ? 1 : 0;
  for (const auto &[number, s] : calls_) puts += s->callers.size();
  return puts == 0 ? "" : fmt::format("queue '{}' ({} puts)", options_.name, puts);
}

void producer_core::drain(std::function<void()> idle) {
  ended_ = true;
  idle_ = std::move(idle);
  check_idle();
}

void producer_core::abort() {
  auto keep = shared_from_this();
  batch_scope batch;
  ended_ = true;
  timer_.cancel();
  const error why(status::closed, "the producer's pool was closed or its runtime was shut down", "queue");
  for (auto &p : std::exchange(waiting_, {}))
    if (p.op) finish(std::move(p.op), result<put_receipt>(why));
  for (auto &[number, s] : std::exchange(calls_, {})) {
    for (auto &p : s->callers)
      if (p.op)
        finish(std::move(p.op),
               result<put_receipt>(error(status::closed, why.message(), "queue", {}, error::maybe_applied)));
  }
  for (auto &[ticket, told] : std::exchange(depths_, {}))
    if (*told) finish(std::move(*told), result<std::int64_t>(why));
  check_idle();
}

}  // namespace corbel::detail
