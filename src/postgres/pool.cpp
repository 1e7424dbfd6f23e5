// The public faces of pool, lease and transaction.
#include "postgres/exchange.hpp"
#include "postgres/pool_core.hpp"

#include <corbel/pg_pool.hpp>

#include <atomic>

namespace corbel {

namespace {

/// A statement whose caller blocks on it.
class blocking_request final : public detail::pg_request {
 public:
  struct answer {
    std::atomic<int> there{0};
    result<pg_result> value{pg_result()};
  };
  blocking_request(pg_statement s, answer &a) : pg_request(std::move(s)), answer_(a) {}
  void finish(result<pg_result> r) noexcept override {
    auto &a = answer_;
    a.value = std::move(r);
    delete this;
    a.there.store(1, std::memory_order_release);
    a.there.notify_one();
  }

 private:
  answer &answer_;
};

}  // namespace

pg_pool::pg_pool(runtime &rt, pg_options options)
    : core_(detail::pg_pool_core::make_handle(detail::pg_pool_core::open(rt.core(), std::move(options)))) {}

void pg_pool::start_query(const core_ptr &core, std::unique_ptr<detail::pg_request> r, call c) {
  core->query(std::move(r), c);
}

void pg_pool::start_lease(const core_ptr &core, detail::operation_ptr<pg_lease> op, call c) {
  core->lease(std::move(op), c);
}

void pg_pool::start_close(const core_ptr &core, detail::operation_ptr<void> op, call c) { core->close(std::move(op), c); }

result<pg_result> pg_pool::query(pg_statement statement, call c) const {
  if (core_->runtime().on_io_thread())
    return error(status::state, "a blocking query on an I/O thread would wait for itself: use async_query there",
                 "postgres");
  blocking_request::answer a;
  core_->query(std::make_unique<blocking_request>(std::move(statement), a), c);
  a.there.wait(0, std::memory_order_acquire);
  return std::move(a.value);
}

pg_lease pg_pool::try_lease() const noexcept { return pg_lease(core_->try_lease()); }

result<void> pg_pool::apply(pg_limits limits) { return core_->apply(limits); }

result<void> pg_pool::resize(std::uint32_t min_size, std::uint32_t max_size) {
  auto l = limits();
  l.min_size = min_size;
  l.max_size = max_size;
  return apply(l);
}

pg_limits pg_pool::limits() const { return core_->desk().limits(); }

pg_stats pg_pool::stats() const { return core_->stats(); }

detail::io_executor pg_pool::executor() const { return core_->home().executor(); }

void pg_lease::start_query(const connection_ptr &c, std::unique_ptr<detail::pg_request> r, call options) {
  auto pool = c ? c->desk.pool.lock() : nullptr;
  if (!pool) return r.release()->finish(error(status::state, "the lease is empty, or its pool was freed", "postgres"));
  pool->query_on(c, std::move(r), options);
}

void pg_lease::release() noexcept {
  auto c = std::exchange(connection_, nullptr);
  if (!c) return;
  if (auto pool = c->desk.pool.lock()) pool->give_back(std::move(c), false);
}

void pg_lease::discard() noexcept {
  auto c = std::exchange(connection_, nullptr);
  if (!c) return;
  if (auto pool = c->desk.pool.lock()) pool->give_back(std::move(c), true);
}

int pg_lease::backend() const noexcept { return connection_ ? connection_->backend() : 0; }

detail::io_executor pg_lease::executor() const { return connection_->home().executor(); }

}  // namespace corbel
