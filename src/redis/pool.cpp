// The public faces of pool, lease and script.
#include "base/batch.hpp"
#include "redis/pool_core.hpp"

#include <corbel/redis_pool.hpp>

#include <atomic>
#include <vector>

namespace corbel {

namespace {

/// What copies of a pool share: the last one to go closes it.
struct pool_handle {
  explicit pool_handle(std::shared_ptr<detail::redis_pool_core> c) : core(std::move(c)) {}
  ~pool_handle() {
    if (core->runtime().forked())
      detail::leave_to_parent(core);
    else
      core->release_handle();
  }
  std::shared_ptr<detail::redis_pool_core> core;
};

/// What a blocked caller waits for.
struct blocking_answer {
  std::atomic<int> there{0};
  result<redis_reply> value{redis_reply()};

  void wake() noexcept {
    there.store(1, std::memory_order_release);
    there.notify_one();
  }
};

/// The blocked callers that one I/O batch answers. They are woken at its end: one that is woken earlier may take the
/// processor from the I/O thread while it has others to answer.
class blocked_callers final : private detail::batch_scope::task {
 public:
  static void wake_later(blocking_answer &a) {
    static thread_local blocked_callers mine;
    if (mine.answered_.empty() && !at_end(mine)) return a.wake();
    mine.answered_.push_back(&a);
  }

 private:
  static bool at_end(blocked_callers &b) { return detail::batch_scope::at_end(detail::batch_scope::wake, b); }
  void end_of_batch() noexcept override {
    for (auto *a : answered_) a->wake();
    answered_.clear();
  }
  std::vector<blocking_answer *> answered_;
};

/// A request whose caller blocks on it.
class blocking_request final : public detail::redis_request {
 public:
  blocking_request(redis_command c, blocking_answer &a) : redis_request(std::move(c)), answer_(a) {}
  void finish(result<redis_reply> r) noexcept override {
    auto &a = answer_;
    a.value = std::move(r);
    delete this;
    blocked_callers::wake_later(a);
  }

 private:
  blocking_answer &answer_;
};

}  // namespace

redis_pool::redis_pool(runtime &rt, redis_options options) {
  auto core = detail::redis_pool_core::open(rt.core(), std::move(options));
  core_ = core_ptr(std::make_shared<pool_handle>(core), core.get());
}

void redis_pool::start_send(const core_ptr &core, std::unique_ptr<detail::redis_request> r, call c) {
  core->send(std::move(r), c);
}

void redis_pool::start_lease(const core_ptr &core, detail::operation_ptr<redis_lease> op, call c) {
  core->lease(std::move(op), c);
}

void redis_pool::start_close(const core_ptr &core, detail::operation_ptr<void> op, call c) { core->close(std::move(op), c); }

result<redis_reply> redis_pool::send(redis_command command, call c) const {
  if (core_->runtime().on_io_thread())
    return error(status::state, "a blocking send on an I/O thread would wait for itself: use async_send there", "redis");
  blocking_answer a;
  core_->send(std::make_unique<blocking_request>(std::move(command), a), c);
  a.there.wait(0, std::memory_order_acquire);
  return std::move(a.value);
}

redis_lease redis_pool::try_lease() const noexcept { return redis_lease(core_->try_lease()); }

result<void> redis_pool::resize(std::uint32_t max_size) { return core_->resize(max_size); }

redis_stats redis_pool::stats() const { return core_->stats(); }

detail::io_executor redis_pool::executor() const { return core_->home().executor(); }

const std::shared_ptr<detail::redis_pool_core> &redis_pool::core() const noexcept { return core_; }

}  // namespace corbel
