#include "capi/redis_request.hpp"

#include <corbel/redis_script.hpp>

#include <optional>

using namespace corbel;
using namespace corbel::capi;

namespace corbel::capi {

void reply_request::finish(result<redis_reply> r) noexcept {
  if (!r && pool_ && r.error().native() == "NOSCRIPT") {
    auto pool = std::exchange(pool_, nullptr);
    redis_command eval("EVAL", script_);
    for (std::uint32_t i = 2; i < command.arguments(); ++i) eval.push(command.argument(i));
    command = std::move(eval);
    call again{.timeout = call::unlimited, .idempotent = idempotent};
    if (deadline != std::chrono::steady_clock::time_point::max())
      again.timeout =
          std::max(std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()),
                   std::chrono::milliseconds(1));
    retried = false;
    return pool->send(std::unique_ptr<redis_request>(this), again);
  }
  pool_.reset();
  std::unique_ptr<detail::event_queue::remnant> self(this);
  if (r)
    to_.succeed(CORBEL_EVENT_REPLY, 0, std::move(*r).detach(), std::move(self));
  else
    to_.fail(CORBEL_EVENT_REPLY, r.error());
}

}  // namespace corbel::capi

namespace {

std::string_view view(const corbel_bytes &b) { return {static_cast<const char *>(b.data ? b.data : ""), b.size}; }

error check_arguments(const corbel_bytes *argv, size_t argc) {
  if (argc != 0 && !argv) return invalid("argv is NULL");
  if (argc > 1024 * 1024) return invalid(fmt::format("the command has {} arguments: 1,048,576 are the most", argc));
  for (size_t i = 0; i < argc; ++i)
    if (!argv[i].data && argv[i].size != 0) return invalid(fmt::format("argv[{}].data is NULL", i));
  return {};
}

/// The arguments as a command that may run where it is sent to; else why not.
error read_command(const corbel_bytes *argv, size_t argc, bool on_lease, std::optional<redis_command> &out) {
  if (argc == 0) return invalid("the command is empty: argv[0] is its name");
  if (auto why = check_arguments(argv, argc)) return why;
  size_t bytes = 0;
  for (size_t i = 1; i < argc; ++i) bytes += argv[i].size;
  out.emplace(view(argv[0])).reserve(bytes, argc);
  for (size_t i = 1; i < argc; ++i) out->push(view(argv[i]));
  return detail::redis_pool_core::misplaced(*out, on_lease);
}

corbel_error **error_of(const corbel_call *c) { return c ? c->err : nullptr; }

redis_options read_redis_options(const corbel_redis_options &given) {
  using ms = std::chrono::milliseconds;
  redis_options o;
  if (given.url) o.url = given.url;
  o.kind = text_or(given.kind, "redis");
  if (given.max_size != 0) o.max_size = given.max_size;
  if (given.max_waiting != 0) o.max_waiting = given.max_waiting;
  if (given.max_connecting != 0) o.max_connecting = given.max_connecting;
  o.tls_ca = text_or(given.tls_ca, "");
  o.tls_cert = text_or(given.tls_cert, "");
  o.tls_key = text_or(given.tls_key, "");
  o.tls_name = text_or(given.tls_name, "");
  if (given.connect_ms != 0) o.connect_timeout = ms(given.connect_ms);
  if (given.call_ms != 0) o.call_timeout = given.call_ms < 0 ? call::unlimited : ms(given.call_ms);
  if (given.idle_ping_ms != 0) o.idle_ping = ms(given.idle_ping_ms);
  if (given.lifetime_ms != 0) o.lifetime = ms(given.lifetime_ms);
  if (given.idle_ms != 0) o.idle_limit = ms(given.idle_ms);
  if (given.max_reply_bytes != 0) o.max_reply_bytes = given.max_reply_bytes;
  if (given.max_reply_elements != 0) o.max_reply_elements = given.max_reply_elements;
  if (given.max_reply_depth != 0) o.max_reply_depth = given.max_reply_depth;
  if (given.busy_poll_us != 0) o.busy_poll = std::chrono::microseconds(given.busy_poll_us);
  return o;
}

}  // namespace

corbel_status corbel_redis_open(corbel_runtime *rt, const corbel_redis_options *o, corbel_redis **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!rt || !out) return invalid("the runtime or the out-parameter is NULL");
    corbel_redis_options given;
    if (auto why = read_options(o, given, "corbel_redis_options")) return why;
    if (auto why = rt->core().refusal()) return why;
    *out = new corbel_redis{redis_pool(rt->value, read_redis_options(given))};
    return {};
  });
}

corbel_status corbel_redis_send(corbel_redis *r, const corbel_bytes *argv, size_t argc, const corbel_call *c,
                                corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    if (!r) return invalid("the pool is NULL");
    auto &core = r->core();
    if (auto why = core.refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    std::optional<redis_command> command;
    if (auto why = read_command(argv, argc, false, command)) return why;
    if (to.has_queue()) to.identify(core.next_ticket(), CORBEL_SOURCE_REDIS);
    give_ticket(t, to.ticket());
    core.hand_over(std::make_unique<reply_request>(std::move(*command), std::move(to)), options);
    return {};
  });
}

corbel_status corbel_redis_eval(corbel_redis *r, corbel_bytes script, const corbel_bytes *argv, size_t argc,
                                size_t key_count, const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    if (!r) return invalid("the pool is NULL");
    if (!script.data || script.size == 0) return invalid("the script is empty");
    if (key_count > argc) return invalid(fmt::format("key_count is {} but there are {} arguments", key_count, argc));
    auto &core = r->core();
    if (auto why = core.refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    redis_script s(std::string(static_cast<const char *>(script.data), script.size), static_cast<unsigned>(key_count));
    auto command = s.command();
    if (auto why = check_arguments(argv, argc)) return why;
    for (size_t i = 0; i < argc; ++i) command.push(view(argv[i]));
    if (to.has_queue()) to.identify(core.next_ticket(), CORBEL_SOURCE_REDIS);
    give_ticket(t, to.ticket());
    auto request = std::make_unique<reply_request>(std::move(command), std::move(to));
    request->fall_back_to(s.source(), r->value.core());
    core.send(std::move(request), options);
    return {};
  });
}

corbel_status corbel_redis_lease(corbel_redis *r, const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    if (!r) return invalid("the pool is NULL");
    auto &core = r->core();
    if (auto why = core.refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    if (!to.has_queue()) return invalid("a lease needs a queue in corbel_call.to: its event owns the connection");
    const auto ticket = core.next_ticket();
    to.identify(ticket, CORBEL_SOURCE_REDIS);
    give_ticket(t, ticket);
    core.lease(make_operation<redis_lease>(std::move(to),
                                           [](completion &done, result<redis_lease> got) {
                                             if (got)
                                               done.succeed(CORBEL_EVENT_LEASE, 0, new corbel_redis_conn{std::move(*got)});
                                             else
                                               done.fail(CORBEL_EVENT_LEASE, got.error());
                                           }),
               options, ticket);
    return {};
  });
}

corbel_status corbel_redis_conn_send(corbel_redis_conn *k, const corbel_bytes *argv, size_t argc, const corbel_call *c,
                                     corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    if (!k) return invalid("the lease is NULL");
    auto connection = k->value.connection();
    auto pool = connection->lease.pool.lock();
    if (!pool) return error(status::closed, "the lease's pool was freed", "redis");
    if (auto why = pool->refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    std::optional<redis_command> command;
    if (auto why = read_command(argv, argc, true, command)) return why;
    if (to.has_queue()) to.identify(pool->next_ticket(), CORBEL_SOURCE_REDIS);
    give_ticket(t, to.ticket());
    pool->send_on(connection, std::make_unique<reply_request>(std::move(*command), std::move(to)), options);
    return {};
  });
}

void corbel_redis_conn_release(corbel_redis_conn *k) {
  if (!k) return;
  auto pool = k->value.connection()->lease.pool.lock();
  free_handle(k, pool && pool->runtime().forked());
}

corbel_status corbel_redis_stats_get(corbel_redis *r, corbel_redis_stats *out, size_t each) {
  return guard(nullptr, [&]() -> error {
    if (!r || !out || each == 0) return invalid("the pool or the out-parameter is NULL");
    if (r->core().runtime().forked()) return detail::forked_error();
    const auto stats = r->value.stats();
    std::memset(out, 0, each);
    std::memcpy(out, &stats, std::min(each, sizeof stats));
    return {};
  });
}

corbel_status corbel_redis_close(corbel_redis *r, const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    if (!r) return invalid("the pool is NULL");
    auto &core = r->core();
    if (auto why = core.refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    if (to.has_queue()) to.identify(core.next_ticket(), CORBEL_SOURCE_REDIS);
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

void corbel_redis_free(corbel_redis *r) {
  if (!r || r->core().runtime().forked()) return;
  if (!r->is_shared) r->core().release_handle();
  delete r;
}
