#pragma once
/// The bundles of a host: a loader, the registry that it follows, the runner of their handlers, and the routes.

#include "host/options.hpp"
#include "http/router.hpp"

#include <corbel/bundle_follow.hpp>
#include <corbel/bundle_runner.hpp>

#include <memory>

namespace corbel {

class host_bundles {
 public:
  /// Nothing when the options name no root. Credentials and the registry's file are those of the environment, see
  /// <corbel/bundle_access.hpp> and find_bundles_file; the registry is in Redis where there is no file.
  static std::unique_ptr<host_bundles> open(runtime &rt, const redis_pool &redis, const host_options &options);

  bundles &loader() noexcept { return loader_; }
  bundle_follower &registry() noexcept { return registry_; }
  bundle_runner &runner() noexcept { return runner_; }
  /// What the registry says now.
  std::function<std::shared_ptr<const bundle_registry>()> entries();
  /// POST /webhooks/git/{bundle}, with the secret of CORBEL_WEBHOOK_SECRET; and the operations of bundles. This must outlive
  /// the server.
  void add_routes(http_router &router);

 private:
  host_bundles(runtime &rt, const redis_pool &redis, const host_options &options);
  runtime &rt_;
  bundles loader_;
  bundle_follower registry_;
  bundle_runner runner_;
  const host_identity who_;
};

}  // namespace corbel
