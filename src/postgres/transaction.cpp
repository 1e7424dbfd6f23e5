// The public faces of transaction, savepoint and retry.
#include "base/random.hpp"
#include "postgres/pool_core.hpp"

#include <corbel/pg_retry.hpp>

#include <fmt/format.h>

#include <atomic>
#include <cstring>

namespace corbel {

namespace {

using connection_ptr = std::shared_ptr<detail::pg_connection>;

/// A statement of a transaction's own, whose end is a function.
template <class F>
class step final : public detail::pg_request {
 public:
  step(const std::string &sql, F end) : pg_request(pg_statement(sql).unprepared()), end_(std::move(end)) {}
  void finish(result<pg_result> r) noexcept override {
    auto end = std::move(end_);
    delete this;
    end(std::move(r));
  }

 private:
  F end_;
};

template <class F>
void run(const connection_ptr &c, const std::string &sql, const call &options, F end) {
  auto r = std::make_unique<step<F>>(sql, std::move(end));
  auto pool = c ? c->desk.pool.lock() : nullptr;
  if (!pool)
    return r.release()->finish(error(status::state, "the transaction has ended, or its pool was freed", "postgres"));
  pool->query_on(c, std::move(r), options);
}

/// Goes on with BEGIN when the lease is there.
class begin_operation final : public detail::operation<pg_lease> {
 public:
  begin_operation(std::string sql, detail::operation_ptr<pg_transaction> op, const call &c)
      : sql_(std::move(sql)), op_(std::move(op)), call_(c), began_(std::chrono::steady_clock::now()) {}
  void finish(result<pg_lease> r) noexcept override {
    auto op = std::move(op_);
    const auto sql = std::move(sql_);
    const auto c = call_;
    const auto began = began_;
    delete this;
    if (!r) return detail::finish(std::move(op), result<pg_transaction>(r.error()));
    auto left = detail::pg_time_left(c, began);
    if (!left) return detail::finish(std::move(op), result<pg_transaction>(left.error()));
    const auto connection = r->connection();
    run(connection, sql, *left, [op = std::move(op), lease = std::move(*r)](result<pg_result> begun) mutable {
      detail::finish(std::move(op), begun ? result<pg_transaction>(pg_transaction(std::move(lease)))
                                          : result<pg_transaction>(begun.error()));
    });
  }
  bool cancellable() const noexcept override { return op_->cancellable(); }
  void on_cancel(std::function<void()> fn) override { op_->on_cancel(std::move(fn)); }

 private:
  std::string sql_;
  detail::operation_ptr<pg_transaction> op_;
  call call_;
  std::chrono::steady_clock::time_point began_;
};

}  // namespace

std::string pg_transaction_options::begin() const {
  std::string sql = "BEGIN";
  if (level == isolation::read_committed) sql += " ISOLATION LEVEL READ COMMITTED";
  if (level == isolation::repeatable_read) sql += " ISOLATION LEVEL REPEATABLE READ";
  if (level == isolation::serializable) sql += " ISOLATION LEVEL SERIALIZABLE";
  if (read_only) sql += " READ ONLY";
  if (deferrable) sql += " DEFERRABLE";
  return sql;
}

void pg_pool::start_begin(const core_ptr &core, std::string sql, detail::operation_ptr<pg_transaction> op, call c) {
  core->lease(detail::operation_ptr<pg_lease>(new begin_operation(std::move(sql), std::move(op), c)), c);
}

void pg_transaction::start_finish(pg_lease lease, std::string sql, call c, detail::operation_ptr<void> op) {
  const auto connection = lease.connection();
  const bool is_commit = sql == "COMMIT";
  run(connection, sql, c, [is_commit, op = std::move(op), held = std::move(lease)](result<pg_result> r) mutable {
    held.release();
    if (!r) return detail::finish(std::move(op), result<void>(r.error()));
    // COMMIT of a transaction that has failed rolls it back, and is no error for the server.
    if (is_commit && std::strcmp(r->tag(), "COMMIT") != 0)
      return detail::finish(
          std::move(op),
          result<void>(error(status::refused, "the transaction had failed before, and was rolled back instead of committed",
                             "postgres", "25P02")));
    detail::finish(std::move(op), result<void>());
  });
}

void pg_transaction::start_savepoint(const connection_ptr &c, call options, detail::operation_ptr<pg_savepoint> op) {
  static std::atomic<std::uint64_t> last{0};
  const auto name = fmt::format("corbel_{}", last.fetch_add(1, std::memory_order_relaxed) + 1);
  run(c, "SAVEPOINT " + name, options, [c, name, op = std::move(op)](result<pg_result> r) mutable {
    detail::finish(std::move(op),
                   r ? result<pg_savepoint>(pg_savepoint(c, c->desk.lease, name)) : result<pg_savepoint>(r.error()));
  });
}

void pg_savepoint::start(const std::shared_ptr<detail::pg_connection> &c, std::uint64_t lease, std::string sql, call options,
                         detail::operation_ptr<void> op) {
  if (!c || c->desk.lease != lease)
    return detail::finish(std::move(op),
                          result<void>(error(status::state, "the savepoint's transaction has ended", "postgres")));
  run(c, sql, options, [op = std::move(op)](result<pg_result> r) mutable {
    detail::finish(std::move(op), r ? result<void>() : result<void>(r.error()));
  });
}

void pg_savepoint::end() noexcept {
  if (auto c = std::exchange(connection_, nullptr); c && c->desk.lease == lease_)
    run(c, "ROLLBACK TO SAVEPOINT " + name_, {}, [](const result<pg_result> &) {});
}

detail::io_executor pg_savepoint::executor() const { return connection_->home().executor(); }

bool pg_may_rerun(const error &e) noexcept {
  return e.is(status::refused) && (e.native() == "40001" || e.native() == "40P01");
}

namespace detail {

std::chrono::milliseconds pg_retry_delay(const pg_retry_policy &policy, unsigned tries) {
  const auto cap = std::min(policy.most_delay.count(), policy.first_delay.count() << std::min(tries - 1, 20u));
  return std::chrono::milliseconds(static_cast<long>(static_cast<double>(cap) * random_unit()));
}

result<call> pg_time_left(const call &c, std::chrono::steady_clock::time_point began) {
  if (c.timeout.count() <= 0) return c;
  auto left = c;
  const auto spent = std::chrono::steady_clock::now() - began;
  left.timeout = c.timeout - std::chrono::duration_cast<std::chrono::milliseconds>(spent);
  if (left.timeout.count() > 0) return left;
  return error(status::timeout, fmt::format("the time of {} ms is over", c.timeout.count()), "postgres", "ETIMEDOUT",
               error::retriable);
}

}  // namespace detail

}  // namespace corbel
