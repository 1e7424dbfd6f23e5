#pragma once
/// The health monitor of a pool: tells listeners when the server is lost, reached again, and when every subscription is
/// confirmed again. Driven by the connections' real errors and by overdue PINGs; a full pool is not down.
///
///     corbel::redis_monitor monitor(redis);
///     auto id = monitor.listen([](const corbel::redis_state_change &c) { ... });   // told the present state at once
///
/// Threads: any. Listeners run on the listener thread, one call at a time each, coalesced to the latest state; one that
/// throws is logged, one that stays over a second is moved to a thread of its own with a warning.

#include <corbel/redis_pool.hpp>

#include <functional>

namespace corbel {

enum class redis_state : std::int32_t {
  unknown = CORBEL_REDIS_UNKNOWN,
  up = CORBEL_REDIS_UP,
  down = CORBEL_REDIS_DOWN,
  reconnecting = CORBEL_REDIS_RECONNECTING,
  resubscribed = CORBEL_REDIS_RESUBSCRIBED,  ///< told once after up; the monitor's state stays up
};
const char *redis_state_name(redis_state s) noexcept;

struct redis_state_change {
  redis_state state = redis_state::unknown;
  std::uint64_t epoch = 0;  ///< counts connections made: 1 with the first
  corbel::error why;        ///< for down
};

struct redis_monitor_options {
  std::chrono::milliseconds ping{5000};     ///< PING when silent that long
  std::chrono::milliseconds overdue{2000};  ///< an answer later than this is a lost connection
};

class redis_monitor {
 public:
  using listener = std::function<void(const redis_state_change &)>;

  explicit redis_monitor(const redis_pool &pool, redis_monitor_options options = {});
  ~redis_monitor();
  redis_monitor(redis_monitor &&) noexcept;
  redis_monitor &operator=(redis_monitor &&) noexcept;

  std::uint64_t listen(listener fn);
  /// After it returns no new call of the listener begins. False when there was none of that id.
  bool unlisten(std::uint64_t id);
  redis_state state() const noexcept;
  redis_state_change last() const;

 private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace corbel
