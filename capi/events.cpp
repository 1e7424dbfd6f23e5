#include "capi/handles.hpp"
#include "events/wake_thread.hpp"

namespace corbel::capi {

void clear_event(corbel_event &ev) noexcept {
  if (ev.object) switch (ev.kind) {
      case CORBEL_EVENT_REPLY:
      case CORBEL_EVENT_PUBLISHED:
        corbel_reply_free(static_cast<corbel_reply *>(ev.object));
        break;
      case CORBEL_EVENT_LEASE:
        corbel_redis_conn_release(static_cast<corbel_redis_conn *>(ev.object));
        break;
      case CORBEL_EVENT_MESSAGE:
        corbel_message_free(static_cast<corbel_message *>(ev.object));
        break;
      case CORBEL_EVENT_UNWORKED:
        corbel_unworked_free(static_cast<corbel_unworked *>(ev.object));
        break;
      case CORBEL_EVENT_CONFIG:
        corbel_config_free(static_cast<corbel_config *>(ev.object));
        break;
      case CORBEL_EVENT_RESULT:
        corbel_pg_result_free(static_cast<corbel_pg_result *>(ev.object));
        break;
      case CORBEL_EVENT_PG_LEASE:
        corbel_pg_conn_release(static_cast<corbel_pg_conn *>(ev.object));
        break;
      case CORBEL_EVENT_PG_STREAM:
        corbel_pg_stream_free(static_cast<corbel_pg_stream *>(ev.object));
        break;
      case CORBEL_EVENT_PG_COPY:
        corbel_pg_copy_free(static_cast<corbel_pg_copy *>(ev.object));
        break;
      case CORBEL_EVENT_PG_NOTICE:
        corbel_pg_notice_free(static_cast<corbel_pg_notice *>(ev.object));
        break;
      case CORBEL_EVENT_QUEUED:
        corbel_receipt_free(static_cast<corbel_receipt *>(ev.object));
        break;
      case CORBEL_EVENT_DEAD:
        corbel_dead_free(static_cast<corbel_dead *>(ev.object));
        break;
      case CORBEL_EVENT_BUNDLE:
        corbel_bundle_free(static_cast<corbel_bundle *>(ev.object));
        break;
      case CORBEL_EVENT_REQUEST:
        corbel_request_free(static_cast<corbel_request *>(ev.object));
        break;
      case CORBEL_EVENT_HEALTH:
      case CORBEL_EVENT_BUNDLE_NOTICE:
      case CORBEL_EVENT_BUNDLE_SAID:
      case CORBEL_EVENT_BUNDLE_ANSWER:
      case CORBEL_EVENT_QUEUE_STATS:
      case CORBEL_EVENT_BUDGET:
      case CORBEL_EVENT_LOG:
      case CORBEL_EVENT_PG_DATA:
        corbel_text_free(static_cast<corbel_text *>(ev.object));
        break;
      default:
        break;
    }
  corbel_error_free(ev.error);
  ev.object = nullptr;
  ev.error = nullptr;
}

error completion::read(const corbel_call *c, std::uint32_t known_flags, completion &out, call &options,
                       bool idempotent_allowed) {
  if (!c) return {};
  corbel_call given;
  if (auto why = read_options(c, given, "corbel_call", known_flags | CORBEL_CALL_IDEMPOTENT)) return why;
  if (given.to) {
    if (given.to->queue->forked()) return detail::forked_error();
    out.queue_ = given.to->queue;
  }
  out.event_.user = given.user;
  options.timeout = given.timeout_ms < 0 ? call::unlimited : std::chrono::milliseconds(given.timeout_ms);
  options.idempotent = idempotent_allowed && (given.flags & CORBEL_CALL_IDEMPOTENT) != 0;
  return {};
}

void completion::succeed(std::int32_t kind, std::int64_t value, void *object,
                         std::unique_ptr<detail::event_queue::remnant> owner) noexcept {
  event_.kind = kind;
  event_.status = CORBEL_OK;
  event_.value = value;
  event_.object = object;
  if (queue_)
    detail::event_queue::complete(std::move(queue_), event_, std::move(owner));
  else
    clear_event(event_);
}

void completion::fail(std::int32_t kind, const error &e) noexcept {
  if (!queue_) return;
  event_.kind = kind;
  event_.status = static_cast<corbel_status>(e.code());
  event_.error = make_error(e);
  detail::event_queue::complete(std::move(queue_), event_);
}

void completion::notify(std::int32_t kind, void *object) const noexcept {
  auto event = event_;
  event.ticket = 0;
  event.kind = kind;
  event.object = object;
  if (queue_)
    detail::event_queue::complete(queue_, event);
  else
    clear_event(event);
}

}  // namespace corbel::capi

using namespace corbel;
using namespace corbel::capi;

corbel_status corbel_events_open(corbel_runtime *rt, uint32_t notice_limit, corbel_events **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!rt || !out) return invalid("the runtime or the out-parameter is NULL");
    if (auto why = rt->core().refusal()) return why;
    auto made = std::make_unique<corbel_events>();
    made->queue = std::make_shared<detail::event_queue>([](corbel_event &ev) noexcept { clear_event(ev); });
    made->runtime = rt->value.core();
    if (notice_limit != 0) made->notice_limit = notice_limit;
    made->shutdown_hook = made->runtime->at_shutdown([q = std::weak_ptr(made->queue)] {
      if (auto queue = q.lock()) queue->shut();
    });
    *out = made.release();
    return {};
  });
}

int corbel_events_fd(corbel_events *q) { return q ? q->queue->descriptor() : -1; }

size_t corbel_events_take(corbel_events *q, corbel_event *out, size_t count, size_t each, int64_t timeout_ms) {
  if (!q || !out || each < sizeof(corbel_ticket)) return 0;
  return q->queue->take(out, count, each, timeout_ms);
}

size_t corbel_events_dispatch(corbel_events *q, size_t each, corbel_event_fn fn, void *user, size_t max,
                              int64_t timeout_ms) {
  if (!q || !fn || each < sizeof(corbel_ticket)) return 0;
  auto queue = q->queue;
  corbel_event batch[64];
  size_t handled = 0;
  for (;;) {
    const size_t room = max == 0 ? 64 : std::min<size_t>(64, max - handled);
    const size_t n = queue->take(batch, room, sizeof batch[0], handled == 0 ? timeout_ms : 0);
    for (size_t i = 0; i < n; ++i) {
      fn(user, &batch[i]);
      clear_event(batch[i]);
    }
    handled += n;
    if (n < room || (max != 0 && handled == max) || (max == 0 && n == 0)) return handled;
  }
}

void corbel_events_interrupt(corbel_events *q) {
  if (q) q->queue->interrupt();
}

corbel_status corbel_events_on_wake(corbel_events *q, corbel_wake_fn fn, void *user, corbel_drop_fn drop) {
  return guard(nullptr, [&]() -> error {
    if (!q) return invalid("the queue is NULL");
    if (q->queue->forked()) return detail::forked_error();
    if (detail::wake_thread::is_here()) return error(status::state, "a wake callback may only call corbel_events_interrupt");
    if (!fn) {
      q->queue->on_wake(nullptr);
      return {};
    }
    std::shared_ptr<void> owned(user, [drop](void *u) {
      if (drop) drop(u);
    });
    q->queue->on_wake([fn, owned] { fn(owned.get()); });
    return {};
  });
}

void corbel_event_clear(corbel_event *ev, size_t each) {
  if (!ev || each < sizeof(corbel_event)) return;
  clear_event(*ev);
}

void corbel_events_free(corbel_events *q) {
  if (!q || q->queue->forked()) return;
  q->runtime->forget_shutdown(q->shutdown_hook);
  q->queue->discard();
  delete q;
}
