#include "capi/postgres.hpp"

#include <string_view>

using namespace corbel;
using namespace corbel::capi;

namespace corbel::capi {

error pool_of(const corbel_pg_conn *k, std::shared_ptr<detail::pg_pool_core> &out) {
  if (!k) return invalid("the lease is NULL");
  out = k->value.connection()->desk.pool.lock();
  return out ? out->refusal() : error(status::closed, "the lease's pool was freed", "postgres");
}

}  // namespace corbel::capi

namespace {

/// BEGIN, COMMIT or ROLLBACK.
class transaction_request final : public detail::pg_request {
 public:
  transaction_request(pg_statement s, bool is_commit, completion to)
      : pg_request(std::move(s)), to_(std::move(to)), is_commit_(is_commit) {
    ticket = to_.ticket();
  }

  void finish(result<corbel::pg_result> r) noexcept override {
    auto why = r.error();
    // The server answers the COMMIT of a failed transaction with success.
    if (r && is_commit_ && r->tag() == std::string_view("ROLLBACK"))
      why = error(status::refused, "the transaction had failed before: it was rolled back, not committed", "postgres",
                  "25P02");
    if (why)
      to_.fail(CORBEL_EVENT_DONE, why);
    else
      to_.succeed(CORBEL_EVENT_DONE, 0, nullptr);
    delete this;
  }

 private:
  completion to_;
  bool is_commit_;
};

error start_transaction_request(corbel_pg_conn *k, const std::string &sql, const corbel_call *c, corbel_ticket *t) {
  std::shared_ptr<detail::pg_pool_core> pool;
  if (auto why = pool_of(k, pool)) return why;
  completion to;
  call options;
  if (auto why = completion::read(c, 0, to, options, false)) return why;
  if (to.has_queue()) to.identify(pool->next_ticket(), CORBEL_SOURCE_POSTGRES);
  give_ticket(t, to.ticket());
  pg_statement statement(sql);
  statement.unprepared();
  auto request = std::make_unique<transaction_request>(std::move(statement), sql == "COMMIT", std::move(to));
  pool->query_on(k->value.connection(), std::move(request), options);
  return {};
}

error read_begin(const corbel_pg_begin *o, pg_transaction_options &out) {
  if (!o) return {};
  corbel_pg_begin given;
  if (auto why = read_options(o, given, "corbel_pg_begin", CORBEL_PG_BEGIN_READ_ONLY | CORBEL_PG_BEGIN_DEFERRABLE))
    return why;
  if (given.isolation < CORBEL_PG_ISOLATION_DEFAULT || given.isolation > CORBEL_PG_SERIALIZABLE)
    return invalid(
        fmt::format("isolation is {}: give CORBEL_PG_ISOLATION_DEFAULT to CORBEL_PG_SERIALIZABLE", given.isolation));
  out.level = static_cast<pg_transaction_options::isolation>(given.isolation);
  out.read_only = (given.flags & CORBEL_PG_BEGIN_READ_ONLY) != 0;
  out.deferrable = (given.flags & CORBEL_PG_BEGIN_DEFERRABLE) != 0;
  return {};
}

corbel_error **error_of(const corbel_call *c) { return c ? c->err : nullptr; }

void end_lease(corbel_pg_conn *k, bool discard) noexcept {
  if (!k) return;
  const auto pool = k->value.connection()->desk.pool.lock();
  const bool forked = pool && pool->runtime().forked();
  if (discard && !forked) k->value.discard();
  free_handle(k, forked);
}

}  // namespace

corbel_status corbel_pg_conn_query(corbel_pg_conn *k, const corbel_pg_statement *s, const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    std::shared_ptr<detail::pg_pool_core> pool;
    if (auto why = pool_of(k, pool)) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    pg_statement statement("");
    if (auto why = read_statement(s, statement)) return why;
    if (auto why = pool->misplaced(statement, true)) return why;
    if (to.has_queue()) to.identify(pool->next_ticket(), CORBEL_SOURCE_POSTGRES);
    give_ticket(t, to.ticket());
    auto request = std::make_unique<result_request>(std::move(statement), std::move(to));
    pool->query_on(k->value.connection(), std::move(request), options);
    return {};
  });
}

corbel_status corbel_pg_conn_begin(corbel_pg_conn *k, const corbel_pg_begin *o, const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    pg_transaction_options options;
    if (auto why = read_begin(o, options)) return why;
    return start_transaction_request(k, options.begin(), c, t);
  });
}

corbel_status corbel_pg_conn_commit(corbel_pg_conn *k, const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&] { return start_transaction_request(k, "COMMIT", c, t); });
}

corbel_status corbel_pg_conn_rollback(corbel_pg_conn *k, const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&] { return start_transaction_request(k, "ROLLBACK", c, t); });
}

int32_t corbel_pg_conn_backend(const corbel_pg_conn *k) { return k ? k->value.backend() : 0; }

void corbel_pg_conn_release(corbel_pg_conn *k) { end_lease(k, false); }

void corbel_pg_conn_discard(corbel_pg_conn *k) { end_lease(k, true); }
