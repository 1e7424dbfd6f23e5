#include "capi/cancel_point.hpp"
#include "capi/queue_options.hpp"

#include <corbel/queue_inspector.hpp>

#include <limits>

using namespace corbel;
using namespace corbel::capi;

struct corbel_inspector {
  redis_pool pool;
  queue_inspector value;
  detail::redis_pool_core &core() noexcept { return *pool.core(); }
};

struct corbel_dead {
  dead_page page;
};

namespace {

/// Reads the call, and makes its ticket known.
template <class T>
error begin(corbel_inspector *i, bool owns_object, const corbel_call *c, corbel_ticket *t, call &options,
            typename event_handler<T>::end_function end, std::optional<event_handler<T>> &out) {
  if (!i) return invalid("the inspector is NULL");
  if (auto why = i->core().refusal()) return why;
  completion to;
  if (auto why = completion::read(c, 0, to, options)) return why;
  if (owns_object && !to.has_queue()) return invalid("corbel_call.to is NULL: what is found needs a queue for its event");
  const auto ticket = i->core().next_ticket();
  to.identify(ticket, CORBEL_SOURCE_QUEUE);
  give_ticket(t, to.has_queue() ? ticket : 0);
  out.emplace(std::move(to), end, cancel_point::make(i->core().runtime(), ticket, i->pool.executor()));
  return {};
}

void end_as_count(completion &done, result<std::size_t> r) {
  if (r)
    done.succeed(CORBEL_EVENT_DONE, static_cast<std::int64_t>(*r), nullptr);
  else
    done.fail(CORBEL_EVENT_DONE, r.error());
}

/// keep: puts the dead back; else removes them.
corbel_status change(corbel_inspector *i, bool keep, const uint64_t *numbers, size_t count, const corbel_call *c,
                     corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    if (!numbers && count != 0) return invalid("the numbers are NULL, but their count is not 0");
    call options;
    std::optional<event_handler<std::size_t>> handler;
    if (auto why = begin(i, false, c, t, options, end_as_count, handler)) return why;
    if (numbers && count == 0)
      (*handler)(std::size_t{0});  // none of them, which is not all of them
    else if (keep)
      i->value.async_requeue({numbers, numbers + count}, options, std::move(*handler));
    else
      i->value.async_purge({numbers, numbers + count}, options, std::move(*handler));
    return {};
  });
}

}  // namespace

corbel_status corbel_inspector_open(corbel_redis *r, const corbel_queue_options *o, corbel_inspector **out,
                                    corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!r || !out) return invalid("the pool or the out-parameter is NULL");
    corbel_queue_options given;
    queue_options options;
    if (auto why = read_queue_options(o, given, options)) return why;
    if (auto why = r->core().refusal()) return why;
    *out = new corbel_inspector{r->value, queue_inspector(r->value, std::move(options))};
    return {};
  });
}

corbel_status corbel_inspector_stats(corbel_inspector *i, const corbel_call *c, corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    call options;
    std::optional<event_handler<queue_stats>> handler;
    if (auto why = begin<queue_stats>(
            i, true, c, t, options,
            [](completion &done, result<queue_stats> r) {
              if (r)
                done.succeed(CORBEL_EVENT_QUEUE_STATS, r->ready, new corbel_text{r->json()});
              else
                done.fail(CORBEL_EVENT_QUEUE_STATS, r.error());
            },
            handler))
      return why;
    i->value.async_stats(options, std::move(*handler));
    return {};
  });
}

corbel_status corbel_inspector_dead(corbel_inspector *i, uint64_t after, size_t count, const corbel_call *c,
                                    corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    if (count < 1 || count > 1000) return invalid(fmt::format("a page of {} messages: give 1 to 1000", count));
    call options;
    std::optional<event_handler<dead_page>> handler;
    if (auto why = begin<dead_page>(
            i, true, c, t, options,
            [](completion &done, result<dead_page> r) {
              if (!r) return done.fail(CORBEL_EVENT_DEAD, r.error());
              const auto messages = static_cast<std::int64_t>(r->messages.size());
              done.succeed(CORBEL_EVENT_DEAD, messages, new corbel_dead{std::move(*r)});
            },
            handler))
      return why;
    i->value.async_dead(after != 0 ? std::optional(after) : std::nullopt, count, options, std::move(*handler));
    return {};
  });
}

corbel_status corbel_inspector_requeue(corbel_inspector *i, const uint64_t *numbers, size_t count, const corbel_call *c,
                                       corbel_ticket *t) {
  return change(i, true, numbers, count, c, t);
}

corbel_status corbel_inspector_purge(corbel_inspector *i, const uint64_t *numbers, size_t count, const corbel_call *c,
                                     corbel_ticket *t) {
  return change(i, false, numbers, count, c, t);
}

void corbel_inspector_free(corbel_inspector *i) {
  if (i) free_handle(i, i->core().runtime().forked());
}

// ---- a page of the dead list ----

size_t corbel_dead_count(const corbel_dead *d) { return d ? d->page.messages.size() : 0; }

uint64_t corbel_dead_next(const corbel_dead *d) { return d ? d->page.next.value_or(0) : 0; }

corbel_status corbel_dead_at(const corbel_dead *d, size_t i, corbel_dead_record *out, size_t size) {
  if (i >= corbel_dead_count(d)) return CORBEL_INVALID;
  const auto &m = d->page.messages[i];
  corbel_dead_record v;
  v.id = bytes_of(m.id);
  v.body = bytes_of(m.body);
  v.lane = bytes_of(m.lane);
  v.group = bytes_of(m.group);
  v.reason = bytes_of(m.reason);
  v.number = m.number;
  v.died_ms = unix_ms(m.died_at);
  v.attempts = m.attempts;
  v.history_count = static_cast<uint32_t>(m.history.size());
  return give_struct(v, out, size);
}

corbel_status corbel_dead_attempt_at(const corbel_dead *d, size_t i, size_t attempt, corbel_dead_attempt *out, size_t size) {
  if (i >= corbel_dead_count(d) || attempt >= d->page.messages[i].history.size()) return CORBEL_INVALID;
  const auto &h = d->page.messages[i].history[attempt];
  corbel_dead_attempt v;
  v.by = bytes_of(h.by);
  v.reason = bytes_of(h.reason);
  v.at_ms = unix_ms(h.at);
  v.attempt = h.attempt;
  v.reserved = 0;
  return give_struct(v, out, size);
}

void corbel_dead_free(corbel_dead *d) { delete d; }
