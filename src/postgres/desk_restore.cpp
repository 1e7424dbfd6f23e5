// After a lease: what is under way ends, an open transaction is rolled back, then the connection is used again. And idle
// connections: asked now and then whether they still live, closed when unused for long.
#include "postgres/desk.hpp"
#include "postgres/exchange.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

using namespace std::chrono_literals;
using step = pg_connection::restoring_step;

/// A statement of the desk's own on a connection that nobody else uses now.
class pg_desk::restoring_request final : public pg_request {
 public:
  restoring_request(const char *sql, std::weak_ptr<pg_desk> desk, std::weak_ptr<pg_connection> c, bool is_check)
      : pg_request(pg_statement(sql).unprepared()), desk_(std::move(desk)), connection_(std::move(c)), is_check_(is_check) {
    on_lease = true;
  }
  void finish(result<pg_result> r) noexcept override {
    const auto why = r.error();
    auto desk = desk_.lock();
    auto c = connection_.lock();
    const bool is_check = is_check_;
    delete this;
    if (desk && c) desk->asked(c, is_check, why);
  }

 private:
  std::weak_ptr<pg_desk> desk_;
  std::weak_ptr<pg_connection> connection_;
  bool is_check_;
};

void pg_desk::ask(const connection_ptr &c, const char *sql, bool is_check) {
  auto r = std::make_unique<restoring_request>(sql, weak_from_this(), c, is_check);
  r->since = clock::now();
  r->deadline = r->since + settings_->options.cancel_timeout;
  c->desk.given.fetch_add(1, std::memory_order_relaxed);
  c->submit(r.release());
}

void pg_desk::asked(const connection_ptr &c, bool is_check, const error &why) {
  if (stopped_) return;
  if (why || c->is_closed())
    return end_lease(c, is_check ? "closed: it did not answer when unused" : "closed: not restored");
  if (!is_check) return restore(c);
  c->desk.restoring = step::none;
  place(c, ledger::from::leased);
}

void pg_desk::end_lease(const connection_ptr &c, const char *why) {
  c->desk.restoring = step::none;
  if (!c->is_closed() && c->outstanding() != 0) c->cancel_on_server();
  retire(c, ledger::from::leased, why);
}

void pg_desk::release_callers(pg_connection &c, const error &sent, const error &unsent) {
  std::vector<std::pair<pg_request *, bool>> gone;
  const auto counts = c.filter([&](pg_request &r, bool was_sent) {
    gone.emplace_back(&r, was_sent);
    return false;
  });
  let_go(c, counts);
  for (auto [r, was_sent] : gone) r->finish(was_sent ? sent : unsent);
}

void pg_desk::restore(connection_ptr c) {
  auto &at = c->desk.restoring;
  if (stopped_) return;
  if (c->is_closed()) return end_lease(c, "closed");
  if (at == step::none) {
    at = step::draining;
    release_callers(*c,
                    error(status::cancelled, "the lease was given back before the statement was answered", "postgres", "",
                          error::maybe_applied),
                    error(status::cancelled, "the lease was given back before the statement was sent", "postgres"));
    if (auto e = c->exchange()) e->give_up(error(status::cancelled, "the lease was given back", "postgres"));
  }
  if (c->is_closed()) return;
  if (c->under_way() != 0) {
    if (c->outstanding() != 0) c->cancel_on_server();
    return;  // called again when it has drained, or when it has closed
  }
  if (c->is_cancelling()) return;
  if (c->in_transaction()) {
    if (at >= step::rolled_back) return end_lease(c, "closed: its transaction could not be rolled back");
    at = step::rolled_back;
    return ask(c, "ROLLBACK", false);
  }
  if (settings_->options.discard_all && at != step::discarded_all) {
    at = step::discarded_all;
    c->forget_prepared();
    return ask(c, "DISCARD ALL", false);
  }
  at = step::none;
  place(std::move(c), ledger::from::leased);
}

void pg_desk::arm_idle() {
  const auto &o = settings_->options;
  auto next = clock::time_point::max();
  {
    std::lock_guard lock(mutex_);
    idle_armed_ = false;
    if (stopped_ || idle_.empty()) return;
    for (auto &i : idle_) {
      if (o.max_idle > 0ms && ledger_.may_shrink()) next = std::min(next, i.connection->desk.idle_since + o.max_idle);
      if (o.idle_check > 0ms) next = std::min(next, i.checked + o.idle_check);
      next = std::min(next, i.connection->desk.old_at);
    }
    if (next == clock::time_point::max()) return;
    idle_armed_ = true;
  }
  idle_timer_.expires_at(std::max(next, clock::now() + 5ms));
  idle_timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec) self->look_at_idle();
  });
}

void pg_desk::look_at_idle() {
  batch_scope batch;
  const auto &o = settings_->options;
  std::vector<connection_ptr> closing, checking;
  {
    std::lock_guard lock(mutex_);
    const auto now = clock::now();
    std::erase_if(idle_, [&](idle_connection &i) {
      const bool is_unused = o.max_idle > 0ms && i.connection->desk.idle_since + o.max_idle <= now && ledger_.may_shrink();
      if (is_unused || i.connection->desk.old_at <= now) {
        ledger_.share_idle();  // on its way out it is counted as shared
        closing.push_back(std::move(i.connection));
        return true;
      }
      if (o.idle_check > 0ms && i.checked + o.idle_check <= now && waiting_.empty()) {
        (void)ledger_.want_lease();
        checking.push_back(std::move(i.connection));
        return true;
      }
      return false;
    });
  }
  for (auto &c : closing) retire(c, ledger::from::pipeline, "closed: unused or old");
  for (auto &c : checking) {
    c->desk.restoring = step::asking;
    ask(c, "", true);
  }
  arm_idle();
}

}  // namespace corbel::detail
