#pragma once
/// Owns: what the opaque handles of the C API hold that more than one of its files needs.

#include "base/fork_guard.hpp"
#include "capi/guard.hpp"
#include "events/event_queue.hpp"
#include "redis/pool_core.hpp"
#include "runtime/runtime_core.hpp"

#include <corbel/redis_pool.hpp>
#include <corbel/runtime.hpp>

#include <memory>
#include <mutex>

struct corbel_runtime {
  explicit corbel_runtime(corbel::runtime_options options) : value(std::move(options)) {}
  corbel::runtime value;
  std::mutex log_mutex;
  std::uint64_t log_sink = 0, health_sink = 0;  // under log_mutex
  corbel::detail::runtime_core &core() noexcept { return *value.core(); }
};

struct corbel_events {
  std::shared_ptr<corbel::detail::event_queue> queue;
  std::shared_ptr<corbel::detail::runtime_core> runtime;
  std::uint64_t shutdown_hook = 0;
  std::uint32_t notice_limit = 1024;
};

struct corbel_redis {
  corbel::redis_pool value;
  bool is_shared = false;  // a reference of corbel_pools: freeing it does not close the pool
  corbel::detail::redis_pool_core &core() noexcept { return *value.core(); }
};

struct corbel_redis_conn {
  corbel::redis_lease value;
};

namespace corbel::capi {

/// Frees a handle; in a child after fork it is left alone, for its parent's threads and locks do not exist here.
template <class Handle>
void free_handle(Handle *h, bool forked) noexcept {
  if (!forked) delete h;
}

/// Who gets the one event of a call. Owned by the operation.
class completion {
 public:
  /// The call's queue (may be none) and user value.
  static error read(const corbel_call *c, std::uint32_t known_flags, completion &out, call &options,
                    bool idempotent_allowed = true);

  bool has_queue() const noexcept { return queue_ != nullptr; }
  void identify(corbel_ticket t, std::int32_t source) noexcept {
    event_.ticket = t;
    event_.source = source;
  }
  corbel_ticket ticket() const noexcept { return event_.ticket; }

  /// The object is freed when nobody receives it. owner: what holds this completion, when its taker is to free it.
  void succeed(std::int32_t kind, std::int64_t value, void *object,
               std::unique_ptr<detail::event_queue::remnant> owner = {}) noexcept;
  void fail(std::int32_t kind, const error &e) noexcept;
  /// A notice for the same receiver, before the end. The object is freed when nobody receives it.
  void notify(std::int32_t kind, void *object) const noexcept;

 private:
  std::shared_ptr<detail::event_queue> queue_;
  corbel_event event_{};
};

/// Frees what an event owns, by its kind.
void clear_event(corbel_event &ev) noexcept;

/// Gives the caller of a started call its ticket: 0 when nobody waits for an event.
inline void give_ticket(corbel_ticket *t, corbel_ticket value) noexcept {
  if (t) *t = value;
}

}  // namespace corbel::capi
