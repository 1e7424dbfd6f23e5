#include "capi/event_operation.hpp"
#include "capi/postgres.hpp"
#include "postgres/mailbox.hpp"

using namespace corbel;
using namespace corbel::capi;

struct corbel_pg_notice {
  std::string channel, payload;
  std::int32_t backend = 0;
};

struct corbel_pg_listener {
  std::shared_ptr<detail::pg_pool_core> pool;
  std::shared_ptr<detail::pg_mailbox> box;
};

namespace {

/// The notices of one listener as events.
class notice_source final : public detail::event_queue::source {
 public:
  notice_source(std::shared_ptr<detail::pg_mailbox> box, std::uint64_t user) : box_(std::move(box)), user_(user) {}

  bool next(corbel_event &out) noexcept override {
    pg_notice n;
    if (!box_->take(n)) return false;
    out.user = user_;
    out.source = CORBEL_SOURCE_POSTGRES;
    out.epoch = n.epoch;
    if (n.type != pg_notice::kind::message) {
      out.kind = CORBEL_EVENT_STATE;
      out.value = n.type == pg_notice::kind::gap ? CORBEL_PG_GAP : CORBEL_PG_LISTENING;
      return true;
    }
    out.kind = CORBEL_EVENT_PG_NOTICE;
    out.object = new (std::nothrow) corbel_pg_notice{std::move(n.channel), std::move(n.payload), n.backend};
    const auto dropped = n.dropped + (out.object ? 0 : 1);
    if (dropped != 0) {
      out.flags = CORBEL_EVENT_DROPPED;
      out.value = static_cast<std::int64_t>(dropped);
    }
    return true;
  }

 private:
  std::shared_ptr<detail::pg_mailbox> box_;
  std::uint64_t user_;
};

}  // namespace

corbel_status corbel_pg_listener_open(corbel_pg *p, const corbel_pg_listener_options *o, corbel_pg_listener **out,
                                      corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!p || !out) return invalid("the pool or the out-parameter is NULL");
    corbel_pg_listener_options given;
    if (auto why = read_options(o, given, "corbel_pg_listener_options")) return why;
    if (!given.to) return invalid("corbel_pg_listener_options.to is NULL: a listener needs a queue for its notices");
    if (auto why = p->core().refusal()) return why;
    auto box = std::make_shared<detail::pg_mailbox>(given.max_notices != 0 ? given.max_notices : 4096);
    auto source = std::make_shared<notice_source>(box, given.user);
    box->on_put([source, q = std::weak_ptr(given.to->queue)] {
      if (auto queue = q.lock()) queue->notify(source);
    });
    *out = new corbel_pg_listener{p->core().shared_from_this(), std::move(box)};
    return {};
  });
}

corbel_status corbel_pg_listener_change(corbel_pg_listener *l, int32_t op, const char *channel, const corbel_call *c,
                                        corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    if (!l || !channel) return invalid("the listener or the channel is NULL");
    if (op != CORBEL_PG_LISTEN && op != CORBEL_PG_UNLISTEN)
      return invalid(fmt::format("op is {}: give CORBEL_PG_LISTEN or CORBEL_PG_UNLISTEN", op));
    const std::string name = channel;
    if (name.empty() || name.size() > 63) return invalid("a channel's name has 1 to 63 bytes");
    if (auto why = l->pool->refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    const auto ticket = to.has_queue() ? l->pool->next_ticket() : 0;
    to.identify(ticket, CORBEL_SOURCE_POSTGRES);
    give_ticket(t, ticket);
    l->pool->change(l->box, op == CORBEL_PG_LISTEN, name,
                    make_operation<void>(std::move(to),
                                         [](completion &done, result<void> end) {
                                           if (end)
                                             done.succeed(CORBEL_EVENT_DONE, 0, nullptr);
                                           else
                                             done.fail(CORBEL_EVENT_DONE, end.error());
                                         }),
                    options, ticket);
    return {};
  });
}

void corbel_pg_listener_free(corbel_pg_listener *l) {
  if (!l || l->pool->runtime().forked()) return;
  l->pool->forget(l->box);
  delete l;
}

corbel_status corbel_pg_notice_channel(const corbel_pg_notice *n, corbel_bytes *out) {
  if (!n || !out) return CORBEL_INVALID;
  *out = {n->channel.c_str(), n->channel.size()};
  return CORBEL_OK;
}

corbel_status corbel_pg_notice_payload(const corbel_pg_notice *n, corbel_bytes *out) {
  if (!n || !out) return CORBEL_INVALID;
  *out = {n->payload.c_str(), n->payload.size()};
  return CORBEL_OK;
}

int32_t corbel_pg_notice_backend(const corbel_pg_notice *n) { return n ? n->backend : 0; }

void corbel_pg_notice_free(corbel_pg_notice *n) { delete n; }
