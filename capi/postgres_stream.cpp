#include "capi/cancel_point.hpp"
#include "capi/postgres.hpp"
#include "postgres/exchange.hpp"

#include <atomic>
#include <variant>

using namespace corbel;
using namespace corbel::capi;

struct corbel_pg_stream {
  pg_stream value;
  std::weak_ptr<detail::pg_pool_core> pool;
};

struct corbel_pg_copy {
  std::variant<pg_copy_in, pg_copy_out> value;
  std::weak_ptr<detail::pg_pool_core> pool;
};

namespace {

corbel_error **error_of(const corbel_call *c) { return c ? c->err : nullptr; }

/// What every call here begins with: its completion, its options, a ticket that can be cancelled.
struct started {
  completion to;
  call options;
  std::shared_ptr<cancel_point> point;
};

error begin(detail::pg_pool_core &pool, const corbel_call *c, corbel_ticket *t, bool needs_queue, started &out) {
  if (auto why = completion::read(c, 0, out.to, out.options, false)) return why;
  if (needs_queue && !out.to.has_queue())
    return invalid("corbel_call.to is NULL, and nothing else would own what the event brings");
  const auto ticket = pool.next_ticket();
  out.to.identify(ticket, CORBEL_SOURCE_POSTGRES);
  out.point = cancel_point::make(pool.runtime(), ticket, pool.home().executor());
  give_ticket(t, out.to.has_queue() ? ticket : 0);
  return {};
}

/// The pool of a stream or a COPY, when it takes calls; else why not.
template <class Handle>
error pool_of_handle(const Handle *x, std::shared_ptr<detail::pg_pool_core> &out) {
  if (!x) return invalid("the stream is NULL");
  out = x->pool.lock();
  return out ? out->refusal() : error(status::closed, "the stream's pool was freed", "postgres");
}

template <class Handle>
void free_stream(Handle *x) noexcept {
  if (!x) return;
  const auto pool = x->pool.lock();
  free_handle(x, pool && pool->runtime().forked());
}

/// Ends an event of `kind` with an object made of the value, or as a failure.
template <std::int32_t kind, class T, class Make>
void end_as(completion &done, result<T> &r, Make make) {
  if (r)
    done.succeed(kind, 0, make(std::move(*r)));
  else
    done.fail(kind, r.error());
}

void end_result(completion &done, result<corbel::pg_result> r) {
  end_as<CORBEL_EVENT_RESULT>(done, r, [](corbel::pg_result v) { return new corbel_pg_result{std::move(v), {}}; });
}

void end_data(completion &done, result<std::string> r) {
  end_as<CORBEL_EVENT_PG_DATA>(done, r, [](std::string v) { return new corbel_text{std::move(v)}; });
}

void end_write(completion &done, result<void> r) {
  if (r)
    done.succeed(CORBEL_EVENT_DONE, 0, nullptr);
  else
    done.fail(CORBEL_EVENT_DONE, r.error());
}

void end_finish(completion &done, result<std::uint64_t> r) {
  if (r)
    done.succeed(CORBEL_EVENT_DONE, static_cast<std::int64_t>(*r), nullptr);
  else
    done.fail(CORBEL_EVENT_DONE, r.error());
}

std::weak_ptr<detail::pg_pool_core> pool_of_exchange(const std::shared_ptr<detail::pg_exchange> &e) {
  return e->connection().desk.pool;
}

void end_stream(completion &done, result<pg_stream> r) {
  end_as<CORBEL_EVENT_PG_STREAM>(done, r, [](pg_stream v) {
    auto pool = pool_of_exchange(v.exchange());
    return new corbel_pg_stream{std::move(v), std::move(pool)};
  });
}

template <class Copy>
void end_copy(completion &done, result<Copy> r) {
  end_as<CORBEL_EVENT_PG_COPY>(done, r, [](Copy v) {
    auto pool = pool_of_exchange(v.exchange());
    return new corbel_pg_copy{std::move(v), std::move(pool)};
  });
}

error wrong_way(const char *wanted) { return error(status::state, fmt::format("this COPY is not {}", wanted), "postgres"); }

}  // namespace

corbel_status corbel_pg_conn_stream(corbel_pg_conn *k, const corbel_pg_statement *s, uint32_t chunk_rows,
                                    const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    std::shared_ptr<detail::pg_pool_core> pool;
    if (auto why = pool_of(k, pool)) return why;
    pg_statement statement("");
    if (auto why = read_statement(s, statement)) return why;
    if (auto why = pool->misplaced(statement, true)) return why;
    started a;
    if (auto why = begin(*pool, c, t, true, a)) return why;
    k->value.async_stream(std::move(statement), chunk_rows != 0 ? chunk_rows : 256, a.options,
                          event_handler<pg_stream>(std::move(a.to), end_stream, std::move(a.point)));
    return {};
  });
}

corbel_status corbel_pg_stream_next(corbel_pg_stream *x, const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    std::shared_ptr<detail::pg_pool_core> pool;
    if (auto why = pool_of_handle(x, pool)) return why;
    started a;
    if (auto why = begin(*pool, c, t, true, a)) return why;
    x->value.async_next(a.options, event_handler<corbel::pg_result>(std::move(a.to), end_result, std::move(a.point)));
    return {};
  });
}

void corbel_pg_stream_free(corbel_pg_stream *x) { free_stream(x); }

corbel_status corbel_pg_conn_copy_in(corbel_pg_conn *k, const char *sql, const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    std::shared_ptr<detail::pg_pool_core> pool;
    if (auto why = pool_of(k, pool)) return why;
    if (!sql) return invalid("the statement is NULL");
    started a;
    if (auto why = begin(*pool, c, t, true, a)) return why;
    k->value.async_copy_in(sql, a.options,
                           event_handler<pg_copy_in>(std::move(a.to), end_copy<pg_copy_in>, std::move(a.point)));
    return {};
  });
}

corbel_status corbel_pg_conn_copy_out(corbel_pg_conn *k, const char *sql, const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    std::shared_ptr<detail::pg_pool_core> pool;
    if (auto why = pool_of(k, pool)) return why;
    if (!sql) return invalid("the statement is NULL");
    started a;
    if (auto why = begin(*pool, c, t, true, a)) return why;
    k->value.async_copy_out(sql, a.options,
                            event_handler<pg_copy_out>(std::move(a.to), end_copy<pg_copy_out>, std::move(a.point)));
    return {};
  });
}

corbel_status corbel_pg_copy_write(corbel_pg_copy *x, const void *data, size_t size, const corbel_call *c,
                                   corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    std::shared_ptr<detail::pg_pool_core> pool;
    if (auto why = pool_of_handle(x, pool)) return why;
    if (!data && size != 0) return invalid("the data is NULL");
    auto *in = std::get_if<pg_copy_in>(&x->value);
    if (!in) return wrong_way("into the server: use corbel_pg_copy_read");
    started a;
    if (auto why = begin(*pool, c, t, false, a)) return why;
    in->async_write(std::string(static_cast<const char *>(data ? data : ""), size), a.options,
                    event_handler<void>(std::move(a.to), end_write, std::move(a.point)));
    return {};
  });
}

corbel_status corbel_pg_copy_finish(corbel_pg_copy *x, const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    std::shared_ptr<detail::pg_pool_core> pool;
    if (auto why = pool_of_handle(x, pool)) return why;
    auto *in = std::get_if<pg_copy_in>(&x->value);
    if (!in) return wrong_way("into the server: free it to end it");
    started a;
    if (auto why = begin(*pool, c, t, false, a)) return why;
    in->async_finish(a.options, event_handler<std::uint64_t>(std::move(a.to), end_finish, std::move(a.point)));
    return {};
  });
}

corbel_status corbel_pg_copy_read(corbel_pg_copy *x, const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    std::shared_ptr<detail::pg_pool_core> pool;
    if (auto why = pool_of_handle(x, pool)) return why;
    auto *out = std::get_if<pg_copy_out>(&x->value);
    if (!out) return wrong_way("out of the server: use corbel_pg_copy_write");
    started a;
    if (auto why = begin(*pool, c, t, true, a)) return why;
    out->async_read(a.options, event_handler<std::string>(std::move(a.to), end_data, std::move(a.point)));
    return {};
  });
}

void corbel_pg_copy_free(corbel_pg_copy *x) { free_stream(x); }
