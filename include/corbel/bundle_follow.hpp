#pragma once
/// The platform's registry of bundles, followed: what it lists is loaded and followed, what it lists no more is forgotten.
///
///     corbel::bundles loader(rt, {.root = root});
///     corbel::bundle_follower registry(loader, redis, {.tenant = "home", .project = "default-project"});
///     auto failed = co_await registry.async_ready({}, asio::use_awaitable);   // each was loaded once, or has failed
///
/// The registry is a file (bundles.yaml) where one is given, else the key in Redis. The update channel is subscribed first,
/// and the registry read then, again after every reconnect, and whenever a message comes, whatever the message says; what
/// it names is looked at anew. Only the difference is applied. An entry that is wrong is reported, and the others are taken;
/// what there was of it stays. A registry that is wrong as a whole, unreadable, or gone, changes nothing. Threads: any.

#include <corbel/bundle.hpp>
#include <corbel/bundle_registry.hpp>
#include <corbel/redis_pool.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace corbel {

struct bundle_follow_options {
  std::string tenant = "home";
  std::string project = "default-project";
  std::string file = {};                       ///< path of a bundles.yaml, which then counts instead of the key in Redis
  std::chrono::milliseconds file_look{2'000};  ///< so often the file is looked at
  std::chrono::milliseconds follow{60'000};    ///< of each bundle; 0: its repository is looked at when a message says so
  bool required = true;                        ///< of each bundle: without a commit of it the host is not ready
};

/// "kdcube:config:bundles:mapping:<tenant>:<project>": a string, without expiry.
std::string bundle_registry_key(const bundle_follow_options &o);
/// "kdcube:config:bundles:update:<tenant>:<project>".
std::string bundle_update_channel(const bundle_follow_options &o);
/// The file that BUNDLES_YAML_DESCRIPTOR_PATH names, else bundles.yaml in PLATFORM_DESCRIPTORS_DIR, else
/// /config/bundles.yaml; the first that is there counts. /dev/null, inline documents and an assembly.yaml are none. Empty:
/// the registry is in Redis. Asks the disk.
std::string find_bundles_file(const std::function<std::optional<std::string>(const std::string &name)> &variables);

namespace detail {
class follow_core;
}

/// Destroying it ends the following; what was loaded stays with the loader, as it is.
class bundle_follower {
 public:
  /// Throws failure when an option is wrong, or there is neither a file nor a pool. The pool's cap must leave a connection
  /// for the subscription.
  bundle_follower(const bundles &loader, std::optional<redis_pool> pool, bundle_follow_options options = {});
  ~bundle_follower();
  bundle_follower(bundle_follower &&) noexcept;
  bundle_follower &operator=(bundle_follower &&) noexcept;

  /// The registry as it was read last, with its faults; empty before. Entries without a repository, which are in local
  /// folders, are here too.
  std::shared_ptr<const bundle_registry> registry() const;
  /// What is wrong with it now, entries with faults among it; success when nothing is.
  error trouble() const;

  /// Completes when the registry was read for the first time, and all that it lists was loaded or has failed: how many
  /// have failed. With status::timeout by the deadline (0: the loader's network_timeout) while the trying goes on.
  /// Signature: void(result<std::size_t>).
  template <class Token>
  auto async_ready(call c, Token &&token) const {
    return detail::initiate<std::size_t>(
        [core = core_, c](detail::operation_ptr<std::size_t> op) { start_ready(core, c, std::move(op)); }, executor(),
        token);
  }

  const std::shared_ptr<detail::follow_core> &core() const noexcept { return core_; }

 private:
  static void start_ready(const std::shared_ptr<detail::follow_core> &core, call c, detail::operation_ptr<std::size_t> op);
  detail::io_executor executor() const;
  std::shared_ptr<detail::follow_core> core_;
};

}  // namespace corbel
