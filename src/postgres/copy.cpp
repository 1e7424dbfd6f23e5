// COPY in and out.
#include "postgres/exchange_run.hpp"
#include "postgres/pool_core.hpp"
#include "postgres/server_error.hpp"

#include <corbel/pg_lease.hpp>

namespace corbel {

namespace detail {

namespace {

error error_of(const PGresult *r) {
  return is_from_server(r)
             ? server_error(r)
             : error(status::lost, one_line(::PQresultErrorMessage(r)), "postgres", "CONNECTION", error::retriable);
}

/// What both directions share: until the server says that it copies.
template <class Handle>
class copy_exchange : public pg_exchange {
 public:
  using pg_exchange::pg_exchange;
  void start(operation_ptr<Handle> op, const call &c) { take_on(start_, std::move(op), c); }

 protected:
  void begun() {
    copies_ = true;
    done();
    if (start_) finish(std::move(start_), result<Handle>(Handle(shared_from_this())));
  }
  void take(PGresult *r) override {
    const auto what = ::PQresultStatus(r);
    if (what == PGRES_FATAL_ERROR)
      failed_ = error_of(r);
    else if (what == PGRES_COMMAND_OK)
      copied_ = pg_result(r).affected();
    else if (!copies_)
      failed_ = error(status::invalid, "the statement is no COPY in this direction", "postgres", "COPY");
    if (what != PGRES_COMMAND_OK) ::PQclear(r);
    if (what != PGRES_COPY_IN && what != PGRES_COPY_OUT) return;
    waits_for_data_ = what == PGRES_COPY_IN;  // the other direction: it would be told again and again
    give_up(failed_);
  }
  bool ends_by_cancel() const noexcept override { return !waits_for_data_; }
  void fail(const error &why) override {
    if (start_) finish(std::move(start_), result<Handle>(why));
  }

  operation_ptr<Handle> start_;
  error failed_;
  std::uint64_t copied_ = 0;
  bool copies_ = false, waits_for_data_ = false;
};

class copy_in_exchange final : public copy_exchange<pg_copy_in> {
 public:
  using copy_exchange::copy_exchange;
  static constexpr std::size_t piece = 64 * 1024;

  void write(std::string bytes, operation_ptr<void> op, const call &c) {
    if (!take_on(writer_, std::move(op), c)) return;
    if (phase_ != phase::running || is_finishing_) return refuse(std::move(writer_));
    bytes_ = std::move(bytes);
    at_ = 0;
    write_on();
  }
  void finish_copy(operation_ptr<std::uint64_t> op, const call &c) {
    if (!take_on(finisher_, std::move(op), c)) return;
    if (phase_ != phase::running || is_finishing_) return refuse(std::move(finisher_));
    is_finishing_ = true;
    if (::PQputCopyEnd(connection_->native(), nullptr) != 1)
      return give_up(error(status::lost, "the end of the COPY could not be sent", "postgres", "COPY", error::retriable));
    connection_->flush_output();
    connection_->read_more();
  }
  void writable() override {
    if (writer_) write_on();
  }

 private:
  template <class T>
  void refuse(operation_ptr<T> op) {
    done();
    finish(std::move(op), result<T>(failed_ ? failed_ : error(status::state, "the COPY has ended", "postgres", "COPY")));
  }
  void write_on() {
    while (at_ < bytes_.size()) {
      if (connection_->wants_write()) return;
      const auto size = std::min(piece, bytes_.size() - at_);
      if (::PQputCopyData(connection_->native(), bytes_.data() + at_, static_cast<int>(size)) != 1)
        return give_up(
            error(status::lost, one_line(::PQerrorMessage(connection_->native())), "postgres", "COPY", error::retriable));
      at_ += size;
      connection_->flush_output();
      if (phase_ != phase::running) return;
    }
    if (connection_->wants_write()) return;
    bytes_ = {};
    done();
    finish(std::move(writer_), result<void>());
  }
  bool is_idle() const noexcept override { return !start_ && !writer_ && !finisher_; }
  bool ends_by_cancel() const noexcept override { return !copies_ || is_finishing_; }
  // While data goes in libpq has nothing to say: an error of the server is told at the end.
  bool wants_results() const noexcept override { return !copies_ || is_finishing_; }
  void take(PGresult *r) override {
    if (::PQresultStatus(r) != PGRES_COPY_IN) return copy_exchange::take(r);
    ::PQclear(r);
    begun();
  }
  void ended() override {
    done();
    if (start_)
      finish(std::move(start_),
             result<pg_copy_in>(
                 failed_ ? failed_ : error(status::invalid, "the statement is no COPY FROM STDIN", "postgres", "COPY")));
    if (finisher_) finish(std::move(finisher_), failed_ ? result<std::uint64_t>(failed_) : result<std::uint64_t>(copied_));
  }
  void fail(const error &why) override {
    copy_exchange::fail(why);
    // Cut off after the end was sent, it may have been committed.
    if (finisher_)
      finish(std::move(finisher_), result<std::uint64_t>(error(why.code(), why.message(), why.source(), why.native(),
                                                               why.flags() | error::maybe_applied)));
    if (writer_) finish(std::move(writer_), result<void>(why));
  }

  operation_ptr<void> writer_;
  operation_ptr<std::uint64_t> finisher_;
  std::string bytes_;
  std::size_t at_ = 0;
  bool is_finishing_ = false;
};

class copy_out_exchange final : public copy_exchange<pg_copy_out> {
 public:
  using copy_exchange::copy_exchange;
  static constexpr std::size_t chunk = 64 * 1024;

  void read(operation_ptr<std::string> op, const call &c) {
    if (!take_on(reader_, std::move(op), c)) return;
    deliver();
    if (phase_ != phase::running) return;
    pump();
    if (phase_ == phase::running && wants_input()) connection_->read_more();
  }

 private:
  bool is_idle() const noexcept override { return !start_ && !reader_; }
  bool wants_input() const noexcept override { return bytes_.size() < chunk; }
  void take(PGresult *r) override {
    if (::PQresultStatus(r) != PGRES_COPY_OUT) return copy_exchange::take(r);
    ::PQclear(r);
    is_copying_ = true;
    begun();
  }
  bool wants_results() const noexcept override { return !is_copying_; }
  void pump() override {
    pg_exchange::pump();
    while (phase_ == phase::running && is_copying_ && wants_input()) {
      char *row = nullptr;
      const int size = ::PQgetCopyData(connection_->native(), &row, 1);
      if (size > 0) bytes_.append(row, static_cast<std::size_t>(size));
      if (row) ::PQfreemem(row);
      if (size == 0) break;
      if (size > 0) continue;
      is_copying_ = false;
      pg_exchange::pump();
    }
    deliver();
  }
  void deliver() {
    if (!reader_ || (bytes_.empty() && phase_ != phase::ended)) return;
    done();
    if (!bytes_.empty()) return finish(std::move(reader_), result<std::string>(std::exchange(bytes_, {})));
    finish(std::move(reader_), failed_ ? result<std::string>(failed_) : result<std::string>(std::string()));
  }
  void ended() override {
    done();
    if (start_)
      finish(std::move(start_),
             result<pg_copy_out>(
                 failed_ ? failed_ : error(status::invalid, "the statement is no COPY TO STDOUT", "postgres", "COPY")));
  }
  void fail(const error &why) override {
    copy_exchange::fail(why);
    if (reader_) finish(std::move(reader_), result<std::string>(why));
  }

  operation_ptr<std::string> reader_;
  std::string bytes_;
  bool is_copying_ = false;
};

template <class Exchange, class Handle>
void start_copy(const std::shared_ptr<pg_connection> &c, std::string sql, call options, operation_ptr<Handle> op) {
  auto pool = c ? c->desk.pool.lock() : nullptr;
  auto why = pool ? pool->refusal() : error(status::state, "the lease is empty, or its pool was freed", "postgres");
  if (!why && sql.find('\0') != sql.npos) why = error(status::invalid, "the statement has a NUL", "postgres", "STATEMENT");
  if (why) return finish(std::move(op), result<Handle>(why));
  auto e = std::make_shared<Exchange>(c, pg_statement(sql));
  pg_exchange::run(e, [e, op = std::move(op), options]() mutable { e->start(std::move(op), options); });
  pool->exchange_on(c, e);
}

error empty_error() { return error(status::state, "the COPY is empty", "postgres"); }

void give_up(std::shared_ptr<pg_exchange> e) {
  if (e) pg_exchange::run(e, [e] { e->give_up(error(status::cancelled, "the COPY was closed", "postgres")); });
}

}  // namespace

}  // namespace detail

void pg_lease::start_copy_in(const connection_ptr &c, std::string sql, call options, detail::operation_ptr<pg_copy_in> op) {
  detail::start_copy<detail::copy_in_exchange>(c, std::move(sql), options, std::move(op));
}
void pg_lease::start_copy_out(const connection_ptr &c, std::string sql, call options,
                              detail::operation_ptr<pg_copy_out> op) {
  detail::start_copy<detail::copy_out_exchange>(c, std::move(sql), options, std::move(op));
}

void pg_copy_in::start_write(const std::shared_ptr<detail::pg_exchange> &e, std::string bytes, call c,
                             detail::operation_ptr<void> op) {
  if (!e) return detail::finish(std::move(op), result<void>(detail::empty_error()));
  detail::pg_exchange::run(e, [e, c, bytes = std::move(bytes), op = std::move(op)]() mutable {
    static_cast<detail::copy_in_exchange &>(*e).write(std::move(bytes), std::move(op), c);
  });
}
void pg_copy_in::start_finish(const std::shared_ptr<detail::pg_exchange> &e, call c,
                              detail::operation_ptr<std::uint64_t> op) {
  if (!e) return detail::finish(std::move(op), result<std::uint64_t>(detail::empty_error()));
  detail::pg_exchange::run(e, [e, c, op = std::move(op)]() mutable {
    static_cast<detail::copy_in_exchange &>(*e).finish_copy(std::move(op), c);
  });
}
void pg_copy_in::close() noexcept { detail::give_up(std::exchange(exchange_, nullptr)); }
detail::io_executor pg_copy_in::executor() const { return exchange_->executor(); }

void pg_copy_out::start_read(const std::shared_ptr<detail::pg_exchange> &e, call c, detail::operation_ptr<std::string> op) {
  if (!e) return detail::finish(std::move(op), result<std::string>(detail::empty_error()));
  detail::pg_exchange::run(
      e, [e, c, op = std::move(op)]() mutable { static_cast<detail::copy_out_exchange &>(*e).read(std::move(op), c); });
}
void pg_copy_out::close() noexcept { detail::give_up(std::exchange(exchange_, nullptr)); }
detail::io_executor pg_copy_out::executor() const { return exchange_->executor(); }

}  // namespace corbel
