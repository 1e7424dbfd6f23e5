// What the server sends: results to the statements that they belong to, a group of them at its sync, because only then it is
// known whether the implicit transaction was committed.
#include "postgres/connection.hpp"
#include "postgres/exchange.hpp"
#include "postgres/server_error.hpp"

#include <fmt/format.h>

#include <poll.h>

namespace corbel::detail {

void pg_connection::read_more() {
  if (reading_ || state_ != state::up) return;
  reading_ = true;
  watch_.async_readable([self = shared_from_this()](boost::system::error_code ec) { self->on_readable(ec); });
}

void pg_connection::on_readable(boost::system::error_code ec) {
  reading_ = false;
  if (state_ != state::up || ec == boost::asio::error::operation_aborted) return;
  if (!consume()) return;
  for (unsigned polled = 0; polled < busy_poll::in_a_row && poll(); ++polled) {
    if (!consume()) return;
  }
  read_more();
}

bool pg_connection::consume() {
  batch_scope batch;  // what the results give rise to is written before the next read is begun
  const bool is_alive = ::PQconsumeInput(conn_.get()) == 1;
  if (auto e = exchange_) {
    e->readable();
    if (state_ != state::up) return false;
    if (is_alive || !exchange_) return !exchange_ || e->reads();  // where the reader is slow, so is the server from now on
  } else {
    in_results_ = true;
    take_results();
    in_results_ = false;
    if (state_ != state::up) return false;
    take_notifications();
    if (state_ != state::up) return false;
    if (is_alive && !session_ended_ && ::PQstatus(conn_.get()) != CONNECTION_BAD) return true;
  }
  close(lost_error("the connection to PostgreSQL was lost"));
  return false;
}

bool pg_connection::poll() {
  const auto limit = settings_->options.busy_poll;
  if (state_ != state::up || limit.count() <= 0 || !asks_on_result_ || exchange_ || writing_ || !unsent_.empty() ||
      !polling_.worth_it(outstanding_) || !owner_ || !owner_->connection_is_alone())
    return false;
  pollfd socket{::PQsocket(conn_.get()), POLLIN, 0};
  const auto end = clock::now() + limit;
  do {
    if (::poll(&socket, 1, 0) != 0) {
      polling_.succeeded();
      return true;
    }
  } while (clock::now() < end);
  polling_.failed();
  return false;
}

void pg_connection::take_results() {
  while (state_ == state::up && pending_.reading() < pending_.size() && !session_ended_ && !exchange_) {
    if (::PQisBusy(conn_.get())) return;
    auto &p = pending_.at(pending_.reading());
    PGresult *r = ::PQgetResult(conn_.get());
    if (r) {
      take_result(r);
    } else if (p.what != pending::kind::sync) {
      p.is_read = true;
      pending_.read_next();
    } else if (::PQstatus(conn_.get()) == CONNECTION_BAD) {
      return;
    }
  }
}

void pg_connection::take_result(PGresult *r) {
  auto &p = pending_.at(pending_.reading());
  switch (::PQresultStatus(r)) {
    case PGRES_PIPELINE_SYNC:
      ::PQclear(r);
      if (p.what != pending::kind::sync)
        return close(error(status::protocol, "PostgreSQL answered out of order", "postgres", "PIPELINE"));
      pending_.read_next();
      return end_group();
    case PGRES_FATAL_ERROR:
      if (!is_from_server(r)) {  // libpq's own: the connection is gone, which its status says too
        ::PQclear(r);
        session_ended_ = false;
        return close(lost_error("the connection to PostgreSQL was lost"));
      }
      if (ends_session(r)) {
        const auto why = server_error(r);
        farewell_ = error(status::lost, why.message(), why.source(), why.native(), error::retriable);
        session_ended_ = true;
        if (p.what == pending::kind::statement) {
          // The server says that this one ended with the session, before it was done.
          if (auto *request = std::exchange(p.request, nullptr)) {
            if (request->may_repeat && !request->repeated && owner_) {
              request->repeated = true;
              owner_->connection_again(*this, request);
            } else {
              counters_->errors.add(1);
              request->finish(why);
            }
          }
        }
        ::PQclear(r);
        return;
      }
      break;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
      ::PQclear(r);
      return close(
          error(status::protocol, "a statement began a COPY: use async_copy_in or async_copy_out", "postgres", "COPY"));
    default:
      break;
  }
  if (p.result) ::PQclear(p.result);
  p.result = r;
}

void pg_connection::publish_transaction() noexcept {
  const auto now = ::PQtransactionStatus(conn_.get());
  if (now != PQTRANS_ACTIVE) transaction_.store(now != PQTRANS_IDLE, std::memory_order_release);
}

void pg_connection::end_group() {
  auto keep = shared_from_this();
  publish_transaction();
  // Taken off first: those who get the results may send the next ones.
  boost::container::small_vector<pending, 8> group;
  std::uint32_t statements = 0, abandoned = 0;
  for (bool is_end = false; !is_end;) {
    group.push_back(pending_.at(0));
    pending_.pop();
    const auto &p = group.back();
    is_end = p.what == pending::kind::sync;
    if (p.what != pending::kind::statement) continue;
    ++statements;
    abandoned += p.request == nullptr;
  }
  outstanding_ -= statements;
  counters_->settled.add(statements);
  settled_.add(statements);
  error group_error, prepare_error;
  if (group.back().result) group_error = server_error(group.back().result);
  if (owner_ && statements != 0) owner_->connection_answered(*this, statements, abandoned);
  for (auto &p : group) {
    const auto outcome = p.result ? ::PQresultStatus(p.result) : PGRES_PIPELINE_ABORTED;
    const bool has_failed = outcome == PGRES_FATAL_ERROR || outcome == PGRES_PIPELINE_ABORTED;
    switch (p.what) {
      case pending::kind::prepare:
        has_failed ? cache_.forget(p.prepared) : cache_.confirm(p.prepared);
        if (outcome == PGRES_FATAL_ERROR) prepare_error = server_error(p.result);
        break;
      case pending::kind::deallocate:
        if (has_failed && state_ == state::up) to_deallocate_.push_back(p.prepared);
        break;
      case pending::kind::statement:
        end_statement(p, prepare_error, group_error, statements == 1);
        prepare_error = {};
        break;
      case pending::kind::sync:
        break;
    }
    if (p.result) ::PQclear(p.result);
  }
  if (!unsent_.empty()) schedule_flush();
}

void pg_connection::end_statement(pending &p, const error &prepare_error, const error &group_error, bool is_alone) {
  auto *r = p.request;
  if (!r) return;
  const auto outcome = p.result ? ::PQresultStatus(p.result) : PGRES_PIPELINE_ABORTED;
  const bool was_skipped = outcome == PGRES_PIPELINE_ABORTED;
  error why = prepare_error;
  if (!why && outcome == PGRES_FATAL_ERROR) why = server_error(p.result);
  if (!why && !was_skipped) why = is_alone ? group_error : error();
  const bool is_neighbour_failed =
      !is_alone && !prepare_error && (was_skipped || (group_error && outcome != PGRES_FATAL_ERROR));
  if (owner_ && (is_neighbour_failed || to_repeat(p, why))) {
    r->alone = true;
    counters_->repeated.add(1);
    return owner_->connection_again(*this, r);
  }
  if (was_skipped && !why)
    why = error(status::lost, "the statement was not run: its connection was closed", "postgres", "PIPELINE",
                error::retriable);
  counters_->statements.add(1);
  if (why) {
    counters_->errors.add(1);
    return r->finish(std::move(why));
  }
  r->finish(pg_result(std::exchange(p.result, nullptr)));
}

bool pg_connection::to_repeat(pending &p, const error &why) {
  // The server no longer knows a statement that we prepared (a pooler gave us another server, DISCARD ALL), or its plan's
  // result has changed (ALTER TABLE). Both are found out before anything is run.
  const auto *routine = why ? why.field("routine") : nullptr;
  const bool is_forgotten = p.prepared != 0 && (why.native() == "26000" ||
                                                (why.native() == "0A000" && routine && *routine == "RevalidateCachedQuery"));
  if (!is_forgotten || p.request->refreshed) return false;
  cache_.forget(p.prepared);
  if (why.native() == "0A000") to_deallocate_.push_back(p.prepared);
  // On a lease the order would change, and in a transaction the error has ended it.
  if (in_transaction() || (p.request->on_lease && (outstanding_ != 0 || !unsent_.empty()))) return false;
  p.request->refreshed = true;
  return true;
}

void pg_connection::take_notifications() {
  while (state_ == state::up) {
    std::unique_ptr<PGnotify, decltype(&::PQfreemem)> n(::PQnotifies(conn_.get()), ::PQfreemem);
    if (!n) return;
    if (owner_) owner_->connection_notify(*this, n->relname, n->extra ? n->extra : "", n->be_pid);
  }
}

void pg_connection::on_notice(void *self, const PGresult *r) {
  auto &c = *static_cast<pg_connection *>(self);
  const auto e = server_error(r);
  const auto *severity = e.field("severity");
  const std::string_view level = severity ? std::string_view(*severity) : "";
  if (level == "FATAL" || level == "PANIC") {  // an idle session ends with these words
    c.farewell_ = error(status::lost, e.message(), e.source(), e.native(), error::retriable);
    c.session_ended_ = true;
    return;
  }
  const auto as = level == "WARNING"                   ? log_level::warning
                  : level == "DEBUG" || level == "LOG" ? log_level::debug
                                                       : log_level::info;
  if (c.notice_) c.notice_(as, e.message(), e.native().c_str());
}

bool pg_connection::begin_exchange() {
  exchange_ = std::move(unsent_.front().exchange);
  unsent_.pop_front();
  if (!::PQexitPipelineMode(conn_.get())) return false;
  return exchange_->begin();
}

void pg_connection::exchange_ended() {
  auto e = std::exchange(exchange_, nullptr);
  if (!e || state_ != state::up) return;
  publish_transaction();
  settled_.add(1);
  if (!::PQenterPipelineMode(conn_.get())) return close(lost_error("the connection cannot be used"));
  cancel_timer_.cancel();
  read_more();
  if (!unsent_.empty()) schedule_flush();
  if (owner_) owner_->connection_answered(*this, 0, 0);
}

}  // namespace corbel::detail
