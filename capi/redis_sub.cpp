#include "capi/redis_request.hpp"
#include "redis/mailbox.hpp"

using namespace corbel;
using namespace corbel::capi;

namespace {

/// The notices of one subscription as events.
class sub_source final : public detail::event_queue::source {
 public:
  sub_source(std::shared_ptr<detail::redis_mailbox> box, std::uint64_t user) : box_(std::move(box)), user_(user) {}

  bool next(corbel_event &out) noexcept override {
    redis_notice n;
    if (!box_->take(n)) return false;
    out.user = user_;
    out.source = CORBEL_SOURCE_REDIS;
    out.epoch = n.epoch;
    if (n.dropped != 0) {
      out.flags = CORBEL_EVENT_DROPPED;
      out.value = static_cast<std::int64_t>(n.dropped);
    }
    if (n.type == redis_notice::kind::message) {
      out.kind = CORBEL_EVENT_PUBLISHED;
      out.object = n.reply.detach();
    } else {
      out.kind = CORBEL_EVENT_STATE;
      out.flags = 0;
      out.value = n.type == redis_notice::kind::gap ? CORBEL_SUB_GAP : CORBEL_SUB_RESUBSCRIBED;
    }
    return true;
  }

 private:
  std::shared_ptr<detail::redis_mailbox> box_;
  std::uint64_t user_;
};

}  // namespace

struct corbel_sub {
  std::shared_ptr<detail::redis_pool_core> pool;
  std::shared_ptr<detail::redis_mailbox> box;
};

corbel_status corbel_sub_open(corbel_redis *r, const corbel_sub_options *o, corbel_sub **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!r || !out) return invalid("the pool or the out-parameter is NULL");
    corbel_sub_options given;
    if (auto why = read_options(o, given, "corbel_sub_options")) return why;
    if (!given.to) return invalid("corbel_sub_options.to is NULL: a subscription needs a queue for its notices");
    if (auto why = r->core().refusal()) return why;
    auto box = std::make_shared<detail::redis_mailbox>(given.max_notices != 0 ? given.max_notices : 4096);
    auto source = std::make_shared<sub_source>(box, given.user);
    box->on_put([source, q = std::weak_ptr(given.to->queue)] {
      if (auto queue = q.lock()) queue->notify(source);
    });
    *out = new corbel_sub{r->core().shared_from_this(), std::move(box)};
    return {};
  });
}

corbel_status corbel_sub_change(corbel_sub *s, int32_t op, const void *name, size_t size, const corbel_call *c,
                                corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    if (!s || (!name && size != 0)) return invalid("the subscription or the name is NULL");
    using change = redis_subscription::change;
    change what;
    switch (op) {
      case CORBEL_SUB_CHANNEL:
        what = change::subscribe;
        break;
      case CORBEL_SUB_PATTERN:
        what = change::psubscribe;
        break;
      case CORBEL_SUB_LEAVE_CHANNEL:
        what = change::unsubscribe;
        break;
      case CORBEL_SUB_LEAVE_PATTERN:
        what = change::punsubscribe;
        break;
      default:
        return invalid(fmt::format("op is {}: give CORBEL_SUB_CHANNEL to CORBEL_SUB_LEAVE_PATTERN", op));
    }
    if (auto why = s->pool->refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    const auto ticket = to.has_queue() ? s->pool->next_ticket() : 0;
    to.identify(ticket, CORBEL_SOURCE_REDIS);
    give_ticket(t, ticket);
    s->pool->change(s->box, what, std::string(static_cast<const char *>(name ? name : ""), size),
                    make_operation<bool>(std::move(to),
                                         [](completion &done, result<bool> end) {
                                           if (end)
                                             done.succeed(CORBEL_EVENT_DONE, *end ? 1 : 0, nullptr);
                                           else
                                             done.fail(CORBEL_EVENT_DONE, end.error());
                                         }),
                    options, ticket);
    return {};
  });
}

void corbel_sub_free(corbel_sub *s) {
  if (!s || s->pool->runtime().forked()) return;
  s->pool->forget(s->box);
  delete s;
}
