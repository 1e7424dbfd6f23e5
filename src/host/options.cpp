#include "host/options.hpp"

#include "relay/unique_id.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <map>

namespace corbel {

runtime_options host_options::runtime(const std::string &name) const {
  runtime_options o;
  o.level = level;
  o.name = name;
  o.instance = instance;
  o.log_stdout = true;
  return o;
}

redis_options host_options::redis() const {
  redis_options o;
  o.url = redis_url;
  o.kind = "main";
  o.max_size = redis_connections;
  return o;
}

std::variant<host_options, int> read_host_options(const host_kind &kind, int argc, const char *const *argv) {
  host_options o;
  o.port = kind.port;
  std::string level = "info";
  std::int64_t lease = o.lease.count(), notice = o.drain_notice.count(), timeout = o.drain_timeout.count();
  const std::map<std::string, log_level> levels = {{"error", log_level::error},
                                                   {"warning", log_level::warning},
                                                   {"info", log_level::info},
                                                   {"debug", log_level::debug},
                                                   {"off", log_level::off}};
  CLI::App app(kind.description, "corbel-" + kind.name);
  auto option = [&](const char *name, auto &into, const char *what, const std::string &variable = {}) {
    return app.add_option(name, into, what)->envname(variable)->capture_default_str();
  };
  option("--workers", o.workers, "processes, each with its pools; they share the port")->check(CLI::Range(1u, 64u));
  option("--address", o.address, "IP address to listen on");
  option("--port", o.port, "TCP port to listen on; 0: any free one, told in the log", kind.port_variable);
  option("--redis-url", o.redis_url, "redis://, rediss:// or unix:// URL; a password is better in the environment",
         "REDIS_URL");
  option("--queue", o.queue, "name of the queue", "CORBEL_QUEUE");
  option("--tenant", o.tenant, "tenant, part of the channels' names", "TENANT_ID");
  option("--project", o.project, "project, part of the channels' names", "PROJECT_ID");
  option("--instance", o.instance, "name of this instance; made when there is none", "INSTANCE_ID");
  option("--relay-identity", o.relay_identity, "identity, part of the channels' names", "CB_RELAY_IDENTITY");
  option("--log-level", level, "error, warning, info, debug or off", "LOG_LEVEL")
      ->transform(CLI::IsMember(levels, CLI::ignore_case));
  option("--redis-max-connections", o.redis_connections, "connections to Redis at most")->check(CLI::Range(2u, 65535u));
  option("--drain-notice-ms", notice, "after SIGTERM /health answers 503 for so long at least")
      ->check(CLI::Range(0, 3600000));
  option("--drain-timeout-ms", timeout, "after SIGTERM work in flight may take so long")->check(CLI::Range(0, 3600000));
  if (kind.works_queue) {
    option("--concurrency", o.concurrency, "messages worked at once")->check(CLI::Range(1u, 4096u));
    option("--lease-ms", lease, "a message of a dead worker comes back after it")->check(CLI::Range(1000, 3600000));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  if (o.workers > 1 && o.port == 0) {
    std::fprintf(stderr, "--port is 0 with %u workers, which share one port: give its number\n", o.workers);
    return 2;
  }
  o.level = levels.at(level);
  o.lease = std::chrono::milliseconds(lease);
  o.drain_notice = std::chrono::milliseconds(notice);
  o.drain_timeout = std::chrono::milliseconds(timeout);
  if (o.instance.empty()) o.instance = kind.name + "-" + unique_id().substr(0, 8);
  return o;
}

}  // namespace corbel
