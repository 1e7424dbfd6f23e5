#include "capi/event_operation.hpp"
#include "capi/queue_feed.hpp"
#include "capi/queue_options.hpp"
#include "queue/limits.hpp"

using namespace corbel;
using namespace corbel::capi;

struct corbel_consumer {
  std::shared_ptr<detail::consumer_core> core;  // a handle: freed, the claiming stops
  std::shared_ptr<message_feed> feed;
  std::uint32_t prefetch = 0;
};

namespace {

constexpr std::uint32_t most_takers = 128;

error check_sum(std::uint32_t concurrency, std::uint32_t prefetch) {
  if (prefetch <= detail::max_slots - concurrency) return {};
  return invalid(fmt::format("concurrency and prefetch are {} and {}: give {} together at most", concurrency, prefetch,
                             detail::max_slots));
}

}  // namespace

corbel_status corbel_consumer_open(corbel_redis *r, const corbel_queue_options *o, corbel_consumer **out,
                                   corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!r || !out) return invalid("the pool or the out-parameter is NULL");
    corbel_queue_options given;
    queue_options options;
    if (auto why = read_queue_options(o, given, options)) return why;
    if (!given.to) return invalid("corbel_queue_options.to is NULL: a consumer needs a queue for its messages");
    detail::check_consumer(options);
    if (auto why = check_sum(options.concurrency, options.prefetch)) return why;
    if (auto why = r->core().refusal()) return why;
    auto k = std::make_unique<corbel_consumer>();
    // Every message becomes a notice at once, so what is prefetched is out as well.
    k->prefetch = std::exchange(options.prefetch, 0);
    options.concurrency += k->prefetch;
    k->feed = std::make_shared<message_feed>(given.to->queue, given.user);
    if ((given.flags & CORBEL_QUEUE_TELL_UNWORKED) != 0) k->feed->listen(options);
    k->core = detail::consumer_core::open(r->value, options);
    k->feed->start(*k->core);
    k->feed->take(*k->core, std::min(options.concurrency, most_takers));
    *out = k.release();
    return {};
  });
}

corbel_status corbel_consumer_set_concurrency(corbel_consumer *k, uint32_t concurrency, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!k) return invalid("the consumer is NULL");
    detail::check_concurrency(concurrency);
    if (auto why = check_sum(concurrency, k->prefetch)) return why;
    if (auto why = k->core->refusal()) return why;
    k->core->set_concurrency(concurrency + k->prefetch);
    k->feed->take(*k->core, std::min(concurrency + k->prefetch, most_takers));
    k->feed->keep(concurrency + k->prefetch);
    return {};
  });
}

corbel_status corbel_consumer_drain(corbel_consumer *k, const corbel_call *c, corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    if (!k) return invalid("the consumer is NULL");
    if (auto why = k->core->refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    const auto ticket = k->core->next_ticket();
    to.identify(ticket, CORBEL_SOURCE_QUEUE);
    give_ticket(t, to.has_queue() ? ticket : 0);
    k->feed->take_back();
    k->core->start_drain(options,
                         make_operation<std::size_t>(std::move(to),
                                                     [](completion &done, result<std::size_t> r) {
                                                       if (r)
                                                         done.succeed(CORBEL_EVENT_DONE, static_cast<std::int64_t>(*r),
                                                                      nullptr);
                                                       else
                                                         done.fail(CORBEL_EVENT_DONE, r.error());
                                                     }),
                         ticket);
    return {};
  });
}

corbel_status corbel_unworked_view_get(const corbel_unworked *u, corbel_unworked_view *out, size_t size) {
  if (!u) return CORBEL_INVALID;
  return give_struct(corbel_unworked_view{bytes_of(u->id), bytes_of(u->body), bytes_of(u->reason)}, out, size);
}

void corbel_unworked_free(corbel_unworked *u) { delete u; }

void corbel_consumer_free(corbel_consumer *k) {
  if (!k || k->core->forked()) return;
  k->feed->stop();
  delete k;
}
