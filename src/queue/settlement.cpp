#include "queue/settlement.hpp"

#include "base/batch.hpp"

namespace corbel::detail {

namespace {
settle_plan make_plan(settle how, const std::string &id, std::chrono::milliseconds timeout) {
  const auto now = settle_plan::clock::now();
  return {how, id, now, timeout < timeout.zero() ? settle_plan::clock::time_point::max() : now + timeout};
}
}  // namespace

settlement::settlement(const redis_pool &pool, std::shared_ptr<const queue_keys> keys, claimed_list messages, settle how,
                       std::chrono::milliseconds timeout, ended_function ended)
    : pool_(pool),
      keys_(std::move(keys)),
      messages_(std::move(messages)),
      plan_(make_plan(how, messages_.front()->id, timeout)),
      ended_(std::move(ended)),
      timer_(pool.executor()) {}

void settlement::start() {
  auto [script, command] = settle_call(*keys_, plan_.how(), messages_);
  async_run(
      pool_, script, std::move(command), {.timeout = plan_.left(settle_plan::clock::now())},
      [self = shared_from_this()](result<redis_reply> r) {
        self->next(r ? self->plan_.answered(read_settle(*r)) : self->plan_.failed(r.error(), settle_plan::clock::now()));
      });
}

void settlement::next(settle_plan::decision d) {
  if (d.ended) return end(*d.ended);
  if (!ended_) return;
  if (d.pause == d.pause.zero()) return start();
  timer_.expires_after(d.pause);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code &) {
    batch_scope batch;
    if (self->ended_) self->start();
  });
}

void settlement::end(const result<bool> &r) {
  auto ended = std::exchange(ended_, nullptr);
  if (!ended) return;
  timer_.cancel();
  ended(r);
}

}  // namespace corbel::detail
