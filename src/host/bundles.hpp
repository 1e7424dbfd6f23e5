#pragma once
/// The bundles of a host: a loader, the registry that it follows, the runner of their handlers, and the routes.

#include "host/options.hpp"
#include "http/router.hpp"
#include "operations/token_guard.hpp"

#include <corbel/bundle_follow.hpp>
#include <corbel/bundle_runner.hpp>

#include <memory>

namespace corbel {

class host_bundles {
 public:
  using economics_function = std::function<void(const std::string &bundle, const std::string &economics)>;

  /// economics: gets what handlers report, on the runtime's I/O thread. Nothing when the options name no root. Credentials
  /// and the registry's file are those of the environment, see <corbel/bundle_access.hpp> and find_bundles_file; the
  /// registry is in Redis where there is no file.
  static std::unique_ptr<host_bundles> open(runtime &rt, const redis_pool &redis, const host_options &options,
                                            economics_function economics);

  bundles &loader() noexcept { return loader_; }
  bundle_follower &registry() noexcept { return registry_; }
  bundle_runner &runner() noexcept { return runner_; }
  /// What the registry says now.
  std::function<std::shared_ptr<const bundle_registry>()> entries();
  /// POST /webhooks/git/{bundle}, with the secret of CORBEL_WEBHOOK_SECRET; what operators do with bundles; and the
  /// operations of bundles, for who knows the guard's token, or, where the options call the port internal, for all who reach
  /// it. All must outlive the server.
  void add_routes(http_router &router, const token_guard &guard);

 private:
  host_bundles(runtime &rt, const redis_pool &redis, const host_options &options, economics_function economics);
  runtime &rt_;
  const redis_pool redis_;
  const std::string file_;  // the registry; empty: it is in Redis
  bundles loader_;
  bundle_follower registry_;
  bundle_runner runner_;
  const host_identity who_;
  const bool internal_;
};

}  // namespace corbel
