#include "postgres/exchange.hpp"

#include "postgres/exchange_run.hpp"
#include "postgres/server_error.hpp"

#include <fmt/format.h>

namespace corbel::detail {

using namespace std::chrono_literals;

pg_exchange::pg_exchange(std::shared_ptr<pg_connection> c, pg_statement s)
    : connection_(std::move(c)), statement_(std::move(s)), timer_(connection_->home().context()) {}

pg_exchange::~pg_exchange() = default;

io_executor pg_exchange::executor() const { return connection_->home().executor(); }

void pg_exchange::watch(const call &c) {
  const auto timeout = c.timeout == 0ms ? connection_->settings().options.call_timeout : c.timeout;
  if (timeout < 0ms) return;
  timer_.expires_after(timeout);
  timer_.async_wait([weak = weak_from_this(), timeout](boost::system::error_code ec) {
    auto self = weak.lock();
    if (ec || !self || self->is_idle()) return;
    batch_scope batch;
    self->give_up(error(status::timeout, fmt::format("it did not go on within {} ms, and was ended", timeout.count()),
                        "postgres", "ETIMEDOUT", error::retriable));
  });
}

bool pg_exchange::send() {
  const auto &s = statement_;
  std::vector<const char *> values;
  std::vector<int> sizes, formats;
  std::vector<Oid> types;
  for (std::size_t i = 0; i < s.parameters(); ++i) {
    const auto &p = s.at(i);
    values.push_back(p.size < 0 ? nullptr : s.bytes() + p.offset);
    sizes.push_back(std::max(p.size, 0));
    formats.push_back(p.format);
    types.push_back(p.type);
  }
  return ::PQsendQueryParams(connection_->native(), s.bytes(), static_cast<int>(values.size()), types.data(), values.data(),
                             sizes.data(), formats.data(), s.has(pg_statement::wants_binary) ? 1 : 0) == 1;
}

bool pg_exchange::begin() {
  if (phase_ == phase::ended) {  // given up before its turn
    connection_->exchange_ended();
    return true;
  }
  phase_ = phase::running;
  if (!send()) return false;
  connection_->flush_output();
  return true;
}

void pg_exchange::readable() {
  const auto keep = shared_from_this();
  if (phase_ == phase::draining) return drain();
  if (phase_ == phase::running) pump();
}

void pg_exchange::pump() {
  while (phase_ == phase::running && wants_results() && !::PQisBusy(connection_->native())) {
    PGresult *r = ::PQgetResult(connection_->native());
    if (!r) return end();
    take(r);
  }
}

void pg_exchange::end() {
  phase_ = phase::ended;
  ended();
  connection_->exchange_ended();
}

void pg_exchange::give_up(const error &why) {
  const auto keep = shared_from_this();
  done();
  if (!why_) why_ = why;
  fail(why);
  if (phase_ == phase::waiting) phase_ = phase::ended;
  if (phase_ != phase::running) return;
  phase_ = phase::draining;
  connection_->cancel_on_server();
  drain();
  connection_->read_more();
}

void pg_exchange::drain() {
  auto *c = connection_->native();
  while (c && phase_ == phase::draining) {
    if (copies_out_) {
      char *row = nullptr;
      const int size = ::PQgetCopyData(c, &row, 1);
      if (row) ::PQfreemem(row);
      if (size == 0) return;
      copies_out_ = size > 0;
      continue;
    }
    if (::PQisBusy(c)) return;
    PGresult *r = ::PQgetResult(c);
    if (!r) return end();
    const auto what = ::PQresultStatus(r);
    ::PQclear(r);
    copies_out_ = what == PGRES_COPY_OUT;
    if (what == PGRES_COPY_IN) {
      ::PQputCopyEnd(c, "the client has given it up");
      connection_->flush_output();
    }
    if (::PQstatus(c) == CONNECTION_BAD) return;
  }
}

void pg_exchange::closed(const error &why) {
  const auto keep = shared_from_this();
  phase_ = phase::ended;
  done();
  if (!why_)
    why_ = error(status::lost, fmt::format("{}; take a new lease", why.message()), why.source(), why.native(),
                 error::retriable);
  fail(why_);
}

}  // namespace corbel::detail
