#pragma once
/// Tells the fleet what a process that works a queue can hold: the platform's heartbeat, by which admission counts capacity.
///
///     std::optional<corbel::queue_heartbeat> beat;
///     beat.emplace(redis, corbel::heartbeat_options{.tenant = "t", .project = "p", .capacity = 8, .load = [&] { return
///     busy; }});
///     ...
///     co_await beat->async_drain({}, asio::use_awaitable);  // no capacity any more, in the moment in which intake stops
///     co_await consumer.async_drain({}, asio::use_awaitable);
///     beat.reset();
///
/// The first one goes out at once, then every ten seconds, and at once when the server is reached again; each is one
/// script. It always says that the process is healthy, whatever its load: a saturated process can take work again, and
/// readers leave out one that says otherwise. Keys, all of which end by themselves when nothing is heard (H is
/// "<tenant>:<project>:kdcube"):
///
///     H:heartbeat:process:<instance>:<service>:<pid>            30 s  the heartbeat, JSON
///     H:system:capacity:process-index:<service>                 75 s  which heartbeats there are: admission reads it
///     H:heartbeat:instance:<instance>:<service>                 30 s  the instance's processes together, JSON
///     H:heartbeat:instance:index                                75 s  which instances there are
///     H:registry:<instance>:<type of the service>               30 s  SET of "localhost:<port>" where there is one
///     <tenant>:<project>:corbel:draining:<instance>:<service>:<pid>:<life>   30 s  the heartbeat of a process that drains
///     <tenant>:<project>:corbel:draining:index                  75 s  which processes drain
///
/// Threads: any.

#include <corbel/redis_pool.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace corbel {

struct heartbeat_options {
  std::string tenant = "home", project = "default-project";
  std::string service = "chat:proc";           ///< "<type>:<name>", as in queue_admission
  std::string instance = {};                   ///< empty: the runtime's
  std::optional<std::uint16_t> port = {};      ///< where the process can be asked over HTTP
  std::uint32_t capacity = 5;                  ///< messages at once: the consumers' concurrency together
  std::function<std::uint32_t()> load = {};    ///< messages in hand. On the pool's I/O thread; must not block or throw
  std::function<std::string()> metadata = {};  ///< one JSON object; as load. Empty: {}
};

namespace detail {
class heartbeat_core;
}

class queue_heartbeat {
 public:
  /// Begins at once. Throws failure when an option is wrong: status::invalid.
  explicit queue_heartbeat(const redis_pool &pool, heartbeat_options options);

  /// Another capacity, told at once.
  void set_capacity(std::uint32_t capacity);

  /// Takes the process out of the capacity, and says from now on that it drains. Signature: void(result<void>): success
  /// when the server has it; an error when it could not be told before the deadline, which then is tried again with every
  /// beat.
  template <class Token>
  auto async_drain(call c, Token &&token) {
    return detail::initiate<void>([core = core_, c](detail::operation_ptr<void> op) { start_drain(core, c, std::move(op)); },
                                  executor(), token);
  }

  // Destroying it removes the process's keys; nobody waits for that, and where the runtime is shut down before it has left,
  // they end by themselves. Once it is destroyed, load and metadata are not called any more.

 private:
  using core_ptr = std::shared_ptr<detail::heartbeat_core>;
  static void start_drain(const core_ptr &core, call c, detail::operation_ptr<void> op);
  detail::io_executor executor() const;
  core_ptr core_;  // a handle on the core: the last one to go removes the keys
};

}  // namespace corbel
