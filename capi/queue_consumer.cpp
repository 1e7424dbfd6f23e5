#include "capi/queue_feed.hpp"
#include "capi/redis_request.hpp"
#include "queue/producer_core.hpp"

using namespace corbel;
using namespace corbel::capi;

struct corbel_producer {
  detail::producer_core core;
  detail::redis_pool_core &pool() const noexcept { return *core.pool().core(); }
};

struct corbel_consumer {
  std::shared_ptr<detail::consumer_core> core;  // a handle: freed, the claiming stops
  std::shared_ptr<message_feed> feed;
};

namespace {

constexpr std::uint32_t most_takers = 128;

error unsupported(std::string text) { return error(status::unsupported, std::move(text), "queue"); }

corbel_error **error_of(const corbel_call *c) { return c ? c->err : nullptr; }

error read_queue_options(const corbel_queue_options *in, corbel_queue_options &given, queue_options &out) {
  if (auto why = read_options(in, given, "corbel_queue_options")) return why;
  if (given.max_attempts != 0) return unsupported("max_attempts is not known to this version: give 0");
  if (given.max_in_flight != 0) return unsupported("max_in_flight is not known to this version: give 0");
  if (given.name) out.name = given.name;
  if (given.lease_ms != 0) out.lease = std::chrono::milliseconds(given.lease_ms);
  out.concurrency = given.concurrency != 0 ? given.concurrency : 1;
  return {};
}

error read_items(const corbel_put *items, size_t count, size_t each, std::vector<put_item> &out) {
  if (!items || count == 0) return invalid("a put without items: give at least one");
  if (each < 2 * sizeof(std::uint32_t)) return invalid("each is too small: give sizeof(corbel_put)");
  out.reserve(std::min<size_t>(count, 4096));
  for (size_t i = 0; i < count; ++i) {
    corbel_put given;
    const auto *at = reinterpret_cast<const corbel_put *>(reinterpret_cast<const char *>(items) + i * each);
    if (auto why = read_options(at, given, "corbel_put")) return why;
    if (given.user_type || given.group || given.idempotency_key || given.not_before_ms != 0)
      return unsupported(
          "user_type, group, idempotency_key and not_before_ms are not known to this version: give NULL and 0");
    if (!given.body.data && given.body.size != 0) return invalid(fmt::format("the body of item {} is NULL", i));
    out.push_back({std::string(static_cast<const char *>(given.body.data ? given.body.data : ""), given.body.size),
                   text_or(given.id, "")});
  }
  return detail::check_items(out);
}

error read_settle(const corbel_settle *in, settle &how, std::string &reason) {
  corbel_settle given;
  if (auto why = read_options(in, given, "corbel_settle")) return why;
  if (given.how == CORBEL_SETTLE_BURY) return unsupported("CORBEL_SETTLE_BURY is not known to this version");
  if (given.not_before_ms != 0) return unsupported("not_before_ms is not known to this version: give 0");
  if (given.reserved != 0) return invalid("corbel_settle.reserved is not 0");
  how = static_cast<settle>(given.how);
  reason = text_or(given.reason, "");
  return {};
}

void end_as_count(completion &done, result<std::size_t> r) {
  if (r)
    done.succeed(CORBEL_EVENT_DONE, static_cast<std::int64_t>(*r), nullptr);
  else
    done.fail(CORBEL_EVENT_DONE, r.error());
}

}  // namespace

// ---- producer ----

corbel_status corbel_producer_open(corbel_redis *r, const corbel_queue_options *o, corbel_producer **out,
                                   corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!r || !out) return invalid("the pool or the out-parameter is NULL");
    corbel_queue_options given;
    queue_options options;
    if (auto why = read_queue_options(o, given, options)) return why;
    if (auto why = r->core().refusal()) return why;
    *out = new corbel_producer{detail::producer_core(r->value, options)};
    return {};
  });
}

corbel_status corbel_producer_put(corbel_producer *p, const corbel_put *items, size_t count, size_t each,
                                  const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    if (!p) return invalid("the producer is NULL");
    if (auto why = p->pool().refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    std::vector<put_item> all;
    if (auto why = read_items(items, count, each, all)) return why;
    const auto ticket = to.has_queue() ? p->pool().next_ticket() : 0;
    to.identify(ticket, CORBEL_SOURCE_QUEUE);
    give_ticket(t, ticket);
    p->core.put(std::move(all), options,
                make_operation<put_receipt>(std::move(to),
                                            [](completion &done, result<put_receipt> r) {
                                              if (r)
                                                done.succeed(CORBEL_EVENT_QUEUED, r->depth, nullptr);
                                              else
                                                done.fail(CORBEL_EVENT_QUEUED, r.error());
                                            }),
                ticket);
    return {};
  });
}

corbel_status corbel_producer_depth(corbel_producer *p, const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    if (!p) return invalid("the producer is NULL");
    if (auto why = p->pool().refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    const auto ticket = to.has_queue() ? p->pool().next_ticket() : 0;
    to.identify(ticket, CORBEL_SOURCE_QUEUE);
    give_ticket(t, ticket);
    p->core.depth(options,
                  make_operation<std::int64_t>(std::move(to),
                                               [](completion &done, result<std::int64_t> r) {
                                                 if (r)
                                                   done.succeed(CORBEL_EVENT_DONE, *r, nullptr);
                                                 else
                                                   done.fail(CORBEL_EVENT_DONE, r.error());
                                               }),
                  ticket);
    return {};
  });
}

void corbel_producer_free(corbel_producer *p) {
  if (p) free_handle(p, p->pool().runtime().forked());
}

// ---- consumer ----

corbel_status corbel_consumer_open(corbel_redis *r, const corbel_queue_options *o, corbel_consumer **out,
                                   corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!r || !out) return invalid("the pool or the out-parameter is NULL");
    corbel_queue_options given;
    queue_options options;
    if (auto why = read_queue_options(o, given, options)) return why;
    if (!given.to) return invalid("corbel_queue_options.to is NULL: a consumer needs a queue for its messages");
    if (given.prefetch > detail::max_slots || given.concurrency > detail::max_slots - given.prefetch)
      return invalid(fmt::format("concurrency and prefetch are {} and {}: give {} together at most", given.concurrency,
                                 given.prefetch, detail::max_slots));
    if (auto why = r->core().refusal()) return why;
    // Every message becomes a notice at once, so what is prefetched is out as well.
    options.concurrency += given.prefetch;
    auto k = std::make_unique<corbel_consumer>();
    k->feed = std::make_shared<message_feed>(given.to->queue, given.user);
    k->core = detail::consumer_core::open(r->value, options);
    k->feed->start(*k->core, std::min(options.concurrency, most_takers));
    *out = k.release();
    return {};
  });
}

corbel_status corbel_consumer_drain(corbel_consumer *k, const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    if (!k) return invalid("the consumer is NULL");
    if (auto why = k->core->refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    const auto ticket = k->core->next_ticket();
    to.identify(ticket, CORBEL_SOURCE_QUEUE);
    give_ticket(t, to.has_queue() ? ticket : 0);
    k->feed->stop();
    k->core->start_drain(options, make_operation<std::size_t>(std::move(to), end_as_count), ticket);
    return {};
  });
}

void corbel_consumer_free(corbel_consumer *k) {
  if (!k || k->core->forked()) return;
  k->feed->stop();
  delete k;
}

// ---- message ----

corbel_status corbel_message_body(const corbel_message *j, corbel_bytes *out) {
  if (!j || !out) return CORBEL_INVALID;
  const auto body = std::string_view(j->state->claimed.element).substr(j->state->body_at);
  *out = {body.data(), body.size()};
  return CORBEL_OK;
}

const char *corbel_message_id(const corbel_message *j) { return j ? j->state->claimed.id.c_str() : ""; }

uint32_t corbel_message_attempt(const corbel_message *j) { return j ? j->state->claimed.attempt : 0; }

uint64_t corbel_message_token(const corbel_message *j) { return j ? j->state->claimed.token : 0; }

corbel_status corbel_message_settle(corbel_message *j, const corbel_settle *s, const corbel_call *c, corbel_ticket *t) {
  return guard(error_of(c), [&]() -> error {
    if (!j) return invalid("the message is NULL");
    settle how;
    std::string reason;
    completion to;
    call options;
    if (auto why = read_settle(s, how, reason)) return why;
    if (auto why = completion::read(c, 0, to, options)) return why;
    auto &core = *j->state->core;
    if (auto why = core.admit_settle(*j->state, how)) return why;
    if (!reason.empty()) core.log_settle(*j->state, how, reason);
    const auto ticket = core.next_ticket();
    to.identify(ticket, CORBEL_SOURCE_QUEUE);
    give_ticket(t, to.has_queue() ? ticket : 0);
    core.start_settle(j->state, how, options,
                      make_operation<bool>(std::move(to),
                                           [](completion &done, result<bool> r) {
                                             if (r)
                                               done.succeed(CORBEL_EVENT_DONE, *r ? 1 : 0, nullptr);
                                             else
                                               done.fail(CORBEL_EVENT_DONE, r.error());
                                           }),
                      ticket);
    return {};
  });
}

void corbel_message_free(corbel_message *j) {
  if (!j) return;
  auto core = j->state->core;
  if (core->forked()) return (void)new auto(std::move(core));
  core->drop(std::move(j->state));
  delete j;
}
