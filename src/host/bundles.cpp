#include "host/bundles.hpp"

#include "operations/bundle_admin_routes.hpp"
#include "operations/bundle_operation_route.hpp"
#include "operations/webhook_route.hpp"

namespace corbel {

std::unique_ptr<host_bundles> host_bundles::open(runtime &rt, const redis_pool &redis, const host_options &options,
                                                 economics_function economics) {
  if (options.bundles_root.empty()) return nullptr;
  return std::unique_ptr<host_bundles>(new host_bundles(rt, redis, options, std::move(economics)));
}

namespace {

bundles_options loader_options(const redis_pool &redis, const host_options &options) {
  bundles_options o{.root = options.bundles_root, .access = bundle_access_from(process_environment())};
  if (!options.bundles_beside_platform) return o;
  o.layout = bundle_layout::platform;
  o.lock = {.redis = redis, .tenant = options.settings().tenant, .project = options.settings().project};
  return o;
}

}  // namespace

host_bundles::host_bundles(runtime &rt, const redis_pool &redis, const host_options &options, economics_function economics)
    : rt_(rt),
      redis_(redis),
      file_(options.bundles_file.empty() ? find_bundles_file(process_environment()) : options.bundles_file),
      loader_(rt, loader_options(redis, options)),
      registry_(loader_, redis, {.tenant = options.settings().tenant, .project = options.settings().project, .file = file_}),
      runner_(loader_, {.user = process_environment()("CORBEL_BUNDLE_USER").value_or(""),
                        .environment = options.bundle_environment,
                        .economics = std::move(economics)}),
      who_(options.identity()),
      internal_(options.internal_port) {}

std::function<std::shared_ptr<const bundle_registry>()> host_bundles::entries() {
  return [this] { return registry_.registry(); };
}

void host_bundles::add_routes(http_router &router, const token_guard &guard) {
  add_bundle_operations(router, who_, runner_, entries(), internal_ ? nullptr : &guard);
  bundle_admin_routes::add(router, guard,
                           {.who = who_, .redis = redis_, .loader = loader_, .registry = entries(), .file = file_});
  const auto secret = process_environment()("CORBEL_WEBHOOK_SECRET").value_or("");
  webhook_route::add(router, {.secret = [secret](const std::string &) { return secret; },
                              .look = [this](const std::string &id) { return loader_.look(id); },
                              .refused =
                                  [this](const std::string &line) {
                                    rt_.log({.level = log_level::warning, .part = "webhook", .text = line, .fields = {}});
                                  }});
}

}  // namespace corbel
