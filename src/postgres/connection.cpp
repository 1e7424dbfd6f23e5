#include "postgres/connection.hpp"

#include "postgres/exchange.hpp"
#include "postgres/server_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace corbel::detail {

pg_connection::pg_connection(std::shared_ptr<loop> where, std::shared_ptr<const pg_settings> settings,
                             std::shared_ptr<pg_counters> counters, offload &blocking, notice_function notice, owner *o)
    : loop_(std::move(where)),
      settings_(std::move(settings)),
      counters_(std::move(counters)),
      blocking_(blocking),
      notice_(std::move(notice)),
      owner_(o),
      watch_(loop_->context()),
      cache_(settings_->options.max_prepared),
      cancel_timer_(loop_->context()) {}

pg_connection::~pg_connection() {
  const error gone(status::cancelled, "the connection's pool was freed", "postgres");
  pending_.for_each([&](pending &p) {
    if (p.result) ::PQclear(p.result);
    if (p.request) p.request->finish(gone);
  });
  for (auto &i : unsent_)
    if (i.request) i.request->finish(gone);
  for (auto *r = posted_.take(); r;) std::exchange(r, r->next)->finish(gone);
}

void pg_connection::open() {
  state_ = state::connecting;
  dialer_ = std::make_shared<pg_dialer>(loop_, settings_);
  dialer_->start([weak = weak_from_this()](result<pg_conn_ptr> c) {
    if (auto self = weak.lock()) self->dialed(std::move(c));
  });
}

void pg_connection::dialed(result<pg_conn_ptr> c) {
  dialer_.reset();
  if (state_ != state::connecting) return;
  if (!c) return close(c.error());
  conn_ = std::move(*c);
  ::PQsetNoticeReceiver(conn_.get(), &pg_connection::on_notice, this);
  const int fd = ::PQsocket(conn_.get());
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  is_tcp_ = ::getsockname(fd, reinterpret_cast<sockaddr *>(&address), &size) == 0 && address.ss_family != AF_UNIX;
  if (::PQsetnonblocking(conn_.get(), 1) != 0 || !::PQenterPipelineMode(conn_.get()) || !watch_.watch(fd))
    return close(lost_error("the connection cannot be used"));
  state_ = state::up;
  opened_at_ = clock::now();
  backend_ = ::PQbackendPID(conn_.get());
  read_more();
  batch_scope batch;
  if (owner_) owner_->connection_up(*this);
  if (state_ == state::up) schedule_flush();
}

void pg_connection::submit(pg_request *r) {
  if (state_ == state::closed) {
    r->finish(error(status::lost, "the connection was lost before the statement was sent; take a new lease", "postgres",
                    "CLOSED", error::retriable));
    return;
  }
  asks_on_result_ = in_results_;
  unsent_.push_back({r, nullptr});
  if (owner_) owner_->connection_deadline(r->deadline);
  schedule_flush();
}

void pg_connection::submit(std::shared_ptr<pg_exchange> e) {
  if (state_ == state::closed)
    return e->closed(error(status::lost, "the connection was lost before the statement was sent; take a new lease",
                           "postgres", "CLOSED", error::retriable));
  unsent_.push_back({nullptr, std::move(e)});
  schedule_flush();
}

void pg_connection::post_request(pg_request *r) {
  if (loop_->is_here() && posted_.empty()) return submit(r);
  if (posted_.push(r)) loop_->post([self = shared_from_this()] { self->drain_inbox(); });
}

void pg_connection::drain_inbox() {
  batch_scope batch;
  for (auto *r = posted_.take(); r;) submit(std::exchange(r, r->next));
}

void pg_connection::schedule_flush() {
  if (flush_scheduled_ || writing_ || state_ != state::up) return;
  flush_scheduled_ = true;
  if (batch_scope::at_end(batch_scope::write, *this))
    flushing_ = shared_from_this();
  else
    loop_->post([self = shared_from_this()] { self->flush(); });
}

void pg_connection::end_of_batch() noexcept {
  auto keep = std::move(flushing_);
  flush();
}

void pg_connection::flush() {
  flush_scheduled_ = false;
  if (state_ != state::up || writing_ || exchange_ || unsent_.empty() || session_ended_ || cancelling_)
    return;  // a cancel request on its way would hit what is sent now
  // libpq writes at every sync: held back by the socket, many leave in as few packets as they fill.
  const bool hold = is_tcp_ && unsent_.size() > 1;
  const int fd = ::PQsocket(conn_.get());
  auto cork = [fd](int on) { ::setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on); };
  if (hold) cork(1);
  const bool is_shared = desk.slot != share_plan::none;
  bool open_group = false, is_well = true;
  while (is_well && !unsent_.empty()) {
    if (unsent_.front().exchange) {
      if (pending_.empty()) is_well = begin_exchange();
      break;
    }
    auto *r = unsent_.front().request;
    const bool shares = is_shared && r->statement.has(pg_statement::is_read_only) && !r->alone;
    if (open_group && !shares) is_well = sync();
    open_group = shares;
    is_well = is_well && send(r);
    if (!is_well) break;
    unsent_.pop_front();
    if (!shares) is_well = sync();
  }
  if (open_group && is_well) is_well = sync();
  while (is_well && !to_deallocate_.empty() && !in_transaction() && !exchange_) {
    is_well = send_deallocate(to_deallocate_.back());
    to_deallocate_.pop_back();
  }
  if (hold) cork(0);
  if (!is_well) return send_failed();
  flush_output();
}

void pg_connection::send_failed() {
  // Perhaps the server has said why, and with that which statements it has not run.
  ::PQconsumeInput(conn_.get());
  if (!exchange_) take_results();
  if (state_ == state::up) close(lost_error("sending to PostgreSQL failed"));
}

bool pg_connection::send(pg_request *r) {
  const auto &s = r->statement;
  const auto n = s.parameters();
  values_.resize(n);
  sizes_.resize(n);
  formats_.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto &p = s.at(i);
    values_[i] = p.size < 0 ? nullptr : s.bytes() + p.offset;
    sizes_[i] = std::max(p.size, 0);
    formats_[i] = p.format;
  }
  const int count = static_cast<int>(n), format = s.has(pg_statement::wants_binary) ? 1 : 0;
  const auto use = cache_.next_use(s);
  if (use.evicted != 0) to_deallocate_.push_back(use.evicted);
  if (use.must_prepare || !use.name) {
    types_.resize(n);
    for (std::size_t i = 0; i < n; ++i) types_[i] = s.at(i).type;
  }
  if (use.must_prepare) {
    if (!::PQsendPrepare(conn_.get(), use.name, s.bytes(), count, types_.data())) return false;
    pending_.push({pending::kind::prepare, false, nullptr, nullptr, use.number});
  }
  const int sent =
      use.name ? ::PQsendQueryPrepared(conn_.get(), use.name, count, values_.data(), sizes_.data(), formats_.data(), format)
               : ::PQsendQueryParams(conn_.get(), s.bytes(), count, types_.data(), values_.data(), sizes_.data(),
                                     formats_.data(), format);
  if (!sent) return false;
  pending_.push({pending::kind::statement, false, r, nullptr, use.number});
  ++outstanding_;
  counters_->sent.add(1);
  return true;
}

bool pg_connection::send_deallocate(std::uint64_t number) {
  const auto sql = "DEALLOCATE " + statement_cache::name_of(number);
  if (!::PQsendQueryParams(conn_.get(), sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0)) return false;
  pending_.push({pending::kind::deallocate, false, nullptr, nullptr, number});
  return sync();
}

bool pg_connection::sync() {
  if (!::PQpipelineSync(conn_.get())) return false;
  pending_.push({pending::kind::sync, false, nullptr, nullptr, 0});
  return true;
}

void pg_connection::flush_output() {
  const int left = ::PQflush(conn_.get());
  if (left < 0) return send_failed();
  if (left == 0 || writing_) return;
  writing_ = true;
  watch_.async_writable([self = shared_from_this()](boost::system::error_code ec) {
    if (ec || self->state_ != state::up) return;
    batch_scope batch;
    self->writing_ = false;
    self->flush_output();
    if (self->writing_ || self->state_ != state::up) return;
    if (auto e = self->exchange_)
      e->writable();
    else
      self->flush();
  });
}

void pg_connection::close(error why) {
  if (state_ == state::closed) return;
  auto keep = shared_from_this();
  state_ = state::closed;
  closed_.store(true, std::memory_order_release);
  cancel_timer_.cancel();
  if (dialer_) dialer_->cancel();
  dialer_.reset();
  watch_.release();
  request_list sent, unsent;
  // What libpq had not begun to read when the server ended the session was not run. It may have read one to its end already,
  // whose result is here: the server may have ended after it was committed.
  const auto not_run = session_ended_ ? pending_.reading() : pending_.size();
  for (std::size_t i = 0; !pending_.empty(); ++i) {
    auto p = pending_.at(0);
    pending_.pop();
    if (p.request) (i < not_run || p.result ? sent : unsent).push_back(p.request);
    if (p.result) ::PQclear(p.result);
  }
  counters_->settled.add(outstanding_);
  outstanding_ = 0;
  conn_.reset();
  std::vector<std::shared_ptr<pg_exchange>> exchanges;
  if (exchange_) exchanges.push_back(std::exchange(exchange_, nullptr));
  for (auto &i : std::exchange(unsent_, {})) {
    if (i.exchange) exchanges.push_back(std::move(i.exchange));
    if (i.request) unsent.push_back(i.request);
  }
  for (auto *r = posted_.take(); r;) unsent.push_back(std::exchange(r, r->next));
  for (auto &e : exchanges) e->closed(why);
  if (auto *o = std::exchange(owner_, nullptr)) {
    o->connection_closed(*this, why, std::move(sent), std::move(unsent));
  } else {
    for (auto *r : sent) r->finish(why);
    for (auto *r : unsent) r->finish(why);
  }
}

void pg_connection::dismiss(const error &why) {
  owner_ = nullptr;
  close(why);
}

error pg_connection::lost_error(const char *what) {
  if (farewell_) return farewell_;
  const auto said = conn_ ? one_line(::PQerrorMessage(conn_.get())) : std::string();
  return error(status::lost, said.empty() ? std::string(what) : fmt::format("{}: {}", what, said), "postgres", "CONNECTION",
               error::retriable);
}

}  // namespace corbel::detail
