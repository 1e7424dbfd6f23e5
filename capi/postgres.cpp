#include "capi/postgres.hpp"

#include "capi/event_operation.hpp"

using namespace corbel;
using namespace corbel::capi;

namespace corbel::capi {

error read_statement(const corbel_pg_statement *s, pg_statement &out) {
  corbel_pg_statement given;
  if (auto why = read_options(s, given, "corbel_pg_statement",
                              CORBEL_PG_READ_ONLY | CORBEL_PG_NO_PREPARE | CORBEL_PG_BINARY_RESULT))
    return why;
  if (!given.sql) return invalid("corbel_pg_statement.sql is NULL");
  if (given.param_count != 0 && !given.params) return invalid("corbel_pg_statement.params is NULL");
  if (given.param_count > 65535)
    return invalid(fmt::format("the statement has {} parameters: 65,535 are the most", given.param_count));
  out = pg_statement(given.sql);
  for (size_t i = 0; i < given.param_count; ++i) {
    const auto &p = given.params[i];
    const auto type = given.types ? given.types[i] : 0;
    const auto format = given.formats ? given.formats[i] : 0;
    if (!p.data && p.size != 0) return invalid(fmt::format("params[{}].data is NULL", i));
    if (format != 0 && format != 1) return invalid(fmt::format("formats[{}] is {}: 0 is text, 1 binary", i, format));
    if (p.data)
      out.push_raw({static_cast<const char *>(p.data), p.size}, type, format == 1);
    else
      out.push_null(type);
  }
  out.set(given.flags);
  return {};
}

}  // namespace corbel::capi

static_assert(CORBEL_PG_READ_ONLY == pg_statement::is_read_only && CORBEL_PG_NO_PREPARE == pg_statement::no_prepare &&
              CORBEL_PG_BINARY_RESULT == pg_statement::wants_binary);
static_assert(sizeof(corbel_pg_stats) == sizeof(pg_stats));

namespace {

corbel_error **error_of(const corbel_call *c) { return c ? c->err : nullptr; }

pg_options read_pg_options(const corbel_pg_options &given) {
  using ms = std::chrono::milliseconds;
  pg_options o;
  auto set_ms = [](ms &to, std::int64_t value) {
    if (value != 0) to = value < 0 ? ms(-1) : ms(value);
  };
  o.conninfo = text_or(given.conninfo, "");
  o.kind = text_or(given.kind, "postgres");
  o.min_size = given.min_size;
  if (given.max_size != 0) o.max_size = given.max_size;
  if (given.max_waiting != 0) o.max_waiting = given.max_waiting;
  if (given.max_prepared != 0) o.max_prepared = given.max_prepared;
  if (given.max_connecting != 0) o.max_connecting = given.max_connecting;
  if (given.flags & CORBEL_PG_POOL_UNPREPARED) o.max_prepared = 0;
  o.discard_all = (given.flags & CORBEL_PG_POOL_DISCARD_ALL) != 0;
  set_ms(o.connect_timeout, given.connect_ms);
  set_ms(o.call_timeout, given.call_ms);
  set_ms(o.acquire_timeout, given.acquire_ms);
  set_ms(o.idle_check, given.idle_check_ms);
  set_ms(o.lifetime, given.lifetime_ms);
  set_ms(o.max_idle, given.max_idle_ms);
  set_ms(o.share, given.share_ms);
  set_ms(o.cancel_timeout, given.cancel_ms);
  return o;
}

}  // namespace

corbel_status corbel_pg_open(corbel_runtime *rt, const corbel_pg_options *o, corbel_pg **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!rt || !out) return invalid("the runtime or the out-parameter is NULL");
    corbel_pg_options given;
    if (auto why = read_options(o, given, "corbel_pg_options", CORBEL_PG_POOL_UNPREPARED | CORBEL_PG_POOL_DISCARD_ALL))
      return why;
    if (auto why = rt->core().refusal()) return why;
    *out = new corbel_pg{pg_pool(rt->value, read_pg_options(given))};
    return {};
  });
}

corbel_status corbel_pg_resize(corbel_pg *p, uint32_t min_size, uint32_t max_size, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!p) return invalid("the pool is NULL");
    if (auto why = p->core().refusal()) return why;
    return p->value.resize(min_size, max_size).error();
  });
}

corbel_status corbel_pg_query(corbel_pg *p, const corbel_pg_statement *s, const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    if (!p) return invalid("the pool is NULL");
    auto &core = p->core();
    if (auto why = core.refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    pg_statement statement("");
    if (auto why = read_statement(s, statement)) return why;
    if (auto why = core.misplaced(statement, false)) return why;
    if (to.has_queue()) to.identify(core.next_ticket(), CORBEL_SOURCE_POSTGRES);
    give_ticket(t, to.ticket());
    core.query(std::make_unique<result_request>(std::move(statement), std::move(to)), options);
    return {};
  });
}

corbel_status corbel_pg_lease(corbel_pg *p, const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    if (!p) return invalid("the pool is NULL");
    auto &core = p->core();
    if (auto why = core.refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    if (!to.has_queue()) return invalid("a lease needs a queue in corbel_call.to: its event owns the connection");
    const auto ticket = core.next_ticket();
    to.identify(ticket, CORBEL_SOURCE_POSTGRES);
    give_ticket(t, ticket);
    core.lease(make_operation<pg_lease>(std::move(to),
                                        [](completion &done, result<pg_lease> got) {
                                          if (got)
                                            done.succeed(CORBEL_EVENT_PG_LEASE, 0, new corbel_pg_conn{std::move(*got)});
                                          else
                                            done.fail(CORBEL_EVENT_PG_LEASE, got.error());
                                        }),
               options, ticket);
    return {};
  });
}

corbel_status corbel_pg_stats_get(corbel_pg *p, corbel_pg_stats *out, size_t each) {
  return guard(nullptr, [&]() -> error {
    if (!p || !out || each == 0) return invalid("the pool or the out-parameter is NULL");
    if (p->core().runtime().forked()) return detail::forked_error();
    const auto stats = p->value.stats();
    std::memset(out, 0, each);
    std::memcpy(out, &stats, std::min(each, sizeof stats));
    return {};
  });
}

corbel_status corbel_pg_close(corbel_pg *p, const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    if (!p) return invalid("the pool is NULL");
    auto &core = p->core();
    if (auto why = core.refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    if (to.has_queue()) to.identify(core.next_ticket(), CORBEL_SOURCE_POSTGRES);
    give_ticket(t, to.ticket());
    core.close(make_operation<void>(std::move(to),
                                    [](completion &done, result<void> end) {
                                      if (end)
                                        done.succeed(CORBEL_EVENT_CLOSED, 0, nullptr);
                                      else
                                        done.fail(CORBEL_EVENT_CLOSED, end.error());
                                    }),
               options);
    return {};
  });
}

void corbel_pg_free(corbel_pg *p) {
  if (p) free_handle(p, p->core().runtime().forked());
}
