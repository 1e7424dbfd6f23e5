// Rows of a result larger than memory: libpq's single row mode, gathered into chunks.
#include "postgres/exchange_run.hpp"
#include "postgres/pool_core.hpp"
#include "postgres/server_error.hpp"

#include <corbel/pg_lease.hpp>

namespace corbel {

namespace detail {

namespace {

class row_exchange final : public pg_exchange {
 public:
  row_exchange(std::shared_ptr<pg_connection> c, pg_statement s, std::size_t chunk_rows)
      : pg_exchange(std::move(c), std::move(s)),
        chunk_rows_(static_cast<int>(std::clamp<std::size_t>(chunk_rows, 1, 1u << 20))) {}

  void start(operation_ptr<pg_stream> op, const call &c) { take_on(start_, std::move(op), c); }
  void next(operation_ptr<pg_result> op, const call &c) {
    if (!chunk_ && phase_ == phase::ended && failed_) return finish(std::move(op), result<pg_result>(failed_));
    if (!take_on(reader_, std::move(op), c)) return;
    deliver();
    if (phase_ != phase::running || !wants_input()) return;
    pump();
    if (phase_ == phase::running && wants_input()) connection_->read_more();
  }
  bool wants_input() const noexcept override { return !chunk_ || ::PQntuples(chunk_.get()) < chunk_rows_; }

 private:
  struct clearer {
    void operator()(PGresult *r) const noexcept { ::PQclear(r); }
  };
  using result_ptr = std::unique_ptr<PGresult, clearer>;

  bool send() override { return pg_exchange::send() && ::PQsetSingleRowMode(connection_->native()) == 1; }
  bool is_idle() const noexcept override { return !start_ && !reader_; }

  void pump() override {
    pg_exchange::pump();
    deliver();
  }
  void take(PGresult *raw) override {
    result_ptr r(raw);
    switch (::PQresultStatus(raw)) {
      case PGRES_SINGLE_TUPLE:
        add(std::move(r));
        return;
      case PGRES_FATAL_ERROR:
        failed_ = is_from_server(raw) ? server_error(raw)
                                      : error(status::lost, one_line(::PQresultErrorMessage(raw)), "postgres", "CONNECTION",
                                              error::retriable);
        return;
      case PGRES_COPY_IN:
      case PGRES_COPY_OUT:
      case PGRES_COPY_BOTH:
        failed_ =
            error(status::invalid, "a COPY is no stream of rows: use async_copy_in or async_copy_out", "postgres", "COPY");
        return give_up(failed_);
      default:
        last_ = std::move(r);
        return;
    }
  }
  void add(result_ptr r) {
    if (!chunk_) {
      chunk_ = std::move(r);
      return;
    }
    const int row = ::PQntuples(chunk_.get()), columns = ::PQnfields(r.get());
    for (int i = 0; i < columns; ++i) {
      const bool is_null = ::PQgetisnull(r.get(), 0, i) != 0;
      ::PQsetvalue(chunk_.get(), row, i, is_null ? nullptr : ::PQgetvalue(r.get(), 0, i),
                   is_null ? -1 : ::PQgetlength(r.get(), 0, i));
    }
  }
  void deliver() {
    const bool has_ended = phase_ == phase::ended;
    if (!chunk_ && !has_ended && !failed_) return;
    if (start_) {
      done();
      if (!chunk_ && failed_) return finish(std::move(start_), result<pg_stream>(failed_));
      return finish(std::move(start_), result<pg_stream>(pg_stream(shared_from_this())));
    }
    if (!reader_) return;
    done();
    if (chunk_) return finish(std::move(reader_), result<pg_result>(pg_result(chunk_.release())));
    if (failed_) return finish(std::move(reader_), result<pg_result>(failed_));
    finish(std::move(reader_), result<pg_result>(pg_result(last_.release())));
  }
  void ended() override {}
  void fail(const error &why) override {
    if (start_) finish(std::move(start_), result<pg_stream>(why));
    if (reader_) finish(std::move(reader_), result<pg_result>(why));
  }

  const int chunk_rows_;
  operation_ptr<pg_stream> start_;
  operation_ptr<pg_result> reader_;
  result_ptr chunk_, last_;
  error failed_;
};

}  // namespace

}  // namespace detail

void pg_lease::start_stream(const connection_ptr &c, pg_statement s, std::size_t chunk_rows, call options,
                            detail::operation_ptr<pg_stream> op) {
  auto pool = c ? c->desk.pool.lock() : nullptr;
  auto why = pool ? pool->refusal() : error(status::state, "the lease is empty, or its pool was freed", "postgres");
  if (!why) why = detail::pg_pool_core::misplaced(s, true);
  if (why) return detail::finish(std::move(op), result<pg_stream>(why));
  auto e = std::make_shared<detail::row_exchange>(c, std::move(s), chunk_rows);
  detail::pg_exchange::run(e, [e, op = std::move(op), options]() mutable { e->start(std::move(op), options); });
  pool->exchange_on(c, e);
}

void pg_stream::start_next(const std::shared_ptr<detail::pg_exchange> &e, call c, detail::operation_ptr<pg_result> op) {
  if (!e) return detail::finish(std::move(op), result<pg_result>(error(status::state, "the stream is empty", "postgres")));
  detail::pg_exchange::run(
      e, [e, c, op = std::move(op)]() mutable { static_cast<detail::row_exchange &>(*e).next(std::move(op), c); });
}

void pg_stream::close() noexcept {
  if (auto e = std::exchange(exchange_, nullptr))
    detail::pg_exchange::run(e, [e] { e->give_up(error(status::cancelled, "the stream was closed", "postgres")); });
}

detail::io_executor pg_stream::executor() const { return exchange_->executor(); }

}  // namespace corbel
