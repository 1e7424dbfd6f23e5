#pragma once
/// Where the gateway document comes from, and how it is followed while a service runs.
///
///     auto loaded = corbel::load_gateway(corbel::process_environment());
///     if (!loaded.reading) die(loaded.reading.why().message());
///     corbel::redis_pool redis(rt, {.url = loaded.reading.settings.redis_url});
///     corbel::gateway_config config(rt, redis, std::move(loaded));
///     config.listen([](const corbel::gateway_change &c) { resize(*c.settings); });
///     co_await config.async_ready(asio::use_awaitable);       // the copy kept in Redis was read, or written
///
/// Sources, the first that is there counts; a wrong one is refused and none of the others takes its place:
///   1. GATEWAY_CONFIG_JSON                        the document itself
///   2. GATEWAY_YAML_PATH                          a YAML file
///   3. PLATFORM_DESCRIPTORS_DIR/gateway.yaml      where there is such a file
///   4. GATEWAY_PROFILE (development)              defaults; AVG_PROCESSING_TIME_SECONDS counts here
/// GATEWAY_PRESET takes the place of them all (chat_production, load_test_heavy) or changes what they say (chat_development,
/// api_high_throughput). Then comes the copy kept in Redis, and every update published on its channel: each is a whole
/// document. With GATEWAY_CONFIG_FORCE_ENV_ON_STARTUP the copy is not read at the start but written, and published.

#include <corbel/config.hpp>
#include <corbel/redis_pool.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace corbel {

/// The value of a variable; nothing when it is not set. An empty one counts as not set.
using environment = std::function<std::optional<std::string>(const std::string &name)>;
environment process_environment();

struct gateway_load {
  gateway_reading reading;  ///< with what stands around the document: INSTANCE_ID, TENANT_ID, REDIS_URL ...
  std::string document;     ///< what a forced start writes into the copy: tenant and project stamped, no redis_url, no
                            ///< instance_id; empty with faults
  bool forced = false;      ///< GATEWAY_CONFIG_FORCE_ENV_ON_STARTUP
};

/// Reads the environment and, where it says so, a file. component: empty for GATEWAY_COMPONENT, else ingress.
gateway_load load_gateway(const environment &variables, std::string component = {});

/// The Redis URL of REDIS_URL, or composed of REDIS_HOST, REDIS_PORT, REDIS_PASSWORD (quoted) and REDIS_DB where one of
/// these is set; nothing where none is. What is wrong is added to the faults.
std::optional<gateway_context::value> redis_url_from(const environment &variables, std::vector<gateway_fault> &faults);

/// "<tenant>:<project>:kdcube:config:gateway:current": a string, without expiry.
std::string gateway_copy_key(const gateway_settings &s);
/// "<tenant>:<project>:kdcube:config:gateway:update".
std::string gateway_update_channel(const gateway_settings &s);

struct gateway_change {
  std::shared_ptr<const gateway_settings> settings;  ///< what counts now
  std::vector<std::string> changed;                  ///< "pools.redis_max_connections: 20 -> 40", against what this listener
                                                     ///< was told last
  std::string source;                                ///< "an update by admin", "the copy in Redis"
};

struct gateway_config_options {
  bool publish = true;                ///< a forced start publishes what it writes; the metrics component does not
  std::string actor = "env.startup";  ///< who it says it is
};

namespace detail {
class gateway_core;
}

/// Follows one document. Subscribes, then reads the copy, and reads it again after every reconnect, so that no update is
/// missed. A document that is wrong is refused with all its faults in one log line and as the degraded health part
/// "gateway:config"; the settings that run stay. What an update says of instance_id and redis_url is not looked at.
/// Threads: any. Listeners run on the listener thread, one call at a time each, coalesced to the latest settings. Without
/// Redis the settings of the start run on. Destroying it ends all of this.
class gateway_config {
 public:
  using listener = std::function<void(const gateway_change &)>;

  /// Throws failure when `start` has faults. The pool's cap must leave a connection for the subscription.
  gateway_config(runtime &rt, const redis_pool &pool, gateway_load start, gateway_config_options options = {});
  ~gateway_config();
  gateway_config(gateway_config &&) noexcept;
  gateway_config &operator=(gateway_config &&) noexcept;

  /// component: as another one reads the same document; empty: this one.
  std::shared_ptr<const gateway_settings> current(const std::string &component = {}) const;
  /// Where the settings came from, as in gateway_change.
  std::string source() const;
  /// Why the last document was refused; success when it was not.
  error refused() const;

  /// The listener hears of changes from now on, component: of another component's settings. Returns its id, never 0.
  std::uint64_t listen(listener fn, std::string component = {});
  /// After it returns no new call begins. False when there was none of that id.
  bool unlisten(std::uint64_t id);

  /// Completes when the copy was read (or written, when forced) for the first time, whatever became of it; with
  /// status::timeout when Redis has not answered by the deadline, while the trying goes on. Signature: void(result<void>).
  template <class Token>
  auto async_ready(call c, Token &&token) const {
    return detail::initiate<void>([this, c](detail::operation_ptr<void> op) { start_ready(c, std::move(op)); }, executor(),
                                  token);
  }
  template <class Token>
  auto async_ready(Token &&token) const {
    return async_ready(call{}, std::forward<Token>(token));
  }

 private:
  detail::io_executor executor() const;
  void start_ready(call c, detail::operation_ptr<void> op) const;
  std::shared_ptr<detail::gateway_core> core_;
};

}  // namespace corbel
