#include "capi/cancel_point.hpp"

#include <corbel/queue_heartbeat.hpp>

#include <atomic>

using namespace corbel;
using namespace corbel::capi;

namespace {

/// What the program has said, and a beat asks for.
struct said {
  std::atomic<std::uint32_t> load{0};
  std::mutex mutex;
  std::string metadata;  // under the mutex
};

}  // namespace

struct corbel_heartbeat {
  redis_pool pool;
  std::shared_ptr<said> words;
  queue_heartbeat value;
  detail::redis_pool_core &core() noexcept { return *pool.core(); }
};

corbel_status corbel_heartbeat_open(corbel_redis *r, const corbel_heartbeat_options *o, corbel_heartbeat **out,
                                    corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!r || !out) return invalid("the pool or the out-parameter is NULL");
    corbel_heartbeat_options given;
    if (auto why = read_options(o, given, "corbel_heartbeat_options")) return why;
    if (given.port > 65535) return invalid(fmt::format("corbel_heartbeat_options.port is {}: give 1 to 65535", given.port));
    heartbeat_options options;
    if (given.tenant) options.tenant = given.tenant;
    if (given.project) options.project = given.project;
    if (given.service) options.service = given.service;
    options.instance = text_or(given.instance, "");
    if (given.port != 0) options.port = static_cast<std::uint16_t>(given.port);
    if (given.capacity != 0) options.capacity = given.capacity;
    auto words = std::make_shared<said>();
    options.load = [words] { return words->load.load(std::memory_order_relaxed); };
    options.metadata = [words] {
      std::lock_guard lock(words->mutex);
      return words->metadata;
    };
    *out = new corbel_heartbeat{r->value, words, queue_heartbeat(r->value, std::move(options))};
    return {};
  });
}

corbel_status corbel_heartbeat_set_load(corbel_heartbeat *b, uint32_t load) {
  if (!b) return CORBEL_INVALID;
  b->words->load.store(load, std::memory_order_relaxed);
  return CORBEL_OK;
}

corbel_status corbel_heartbeat_set_capacity(corbel_heartbeat *b, uint32_t capacity) {
  return guard(nullptr, [&]() -> error {
    if (!b || capacity == 0) return invalid("the heartbeat is NULL, or the capacity 0");
    if (auto why = b->core().refusal()) return why;
    b->value.set_capacity(capacity);
    return {};
  });
}

corbel_status corbel_heartbeat_set_metadata(corbel_heartbeat *b, const char *json) {
  return guard(nullptr, [&]() -> error {
    if (!b) return invalid("the heartbeat is NULL");
    if (auto why = b->core().refusal()) return why;
    std::string text = text_or(json, "");
    std::lock_guard lock(b->words->mutex);
    b->words->metadata = std::move(text);
    return {};
  });
}

corbel_status corbel_heartbeat_drain(corbel_heartbeat *b, const corbel_call *c, corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    if (!b) return invalid("the heartbeat is NULL");
    if (auto why = b->core().refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    const auto ticket = b->core().next_ticket();
    to.identify(ticket, CORBEL_SOURCE_QUEUE);
    give_ticket(t, to.has_queue() ? ticket : 0);
    event_handler<void> handler(
        std::move(to),
        [](completion &done, result<void> r) {
          if (r)
            done.succeed(CORBEL_EVENT_DONE, 0, nullptr);
          else
            done.fail(CORBEL_EVENT_DONE, r.error());
        },
        cancel_point::make(b->core().runtime(), ticket, b->pool.executor()));
    b->value.async_drain(options, std::move(handler));
    return {};
  });
}

void corbel_heartbeat_free(corbel_heartbeat *b) {
  if (b) free_handle(b, b->core().runtime().forked());
}
