#pragma once
/// src/host owns what every thin host shares: options, signals, drain. Callers: main functions. Threads: the main thread.
///
/// Options of a host: from the command line, else from the environment, else the default.

#include "operations/identity.hpp"
#include "relay/channel.hpp"

#include <corbel/redis_pool.hpp>
#include <corbel/runtime.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>

namespace corbel {

/// What is special to one component.
struct host_kind {
  std::string name;         ///< "ingress"
  std::string description;  ///< one sentence for --help
  std::uint16_t port;       ///< default
  std::string port_variable;
  bool works_queue = false;  ///< has --concurrency and --lease-ms
};

struct host_options {
  unsigned workers = 1;                                 ///< --workers: processes
  std::string address = "0.0.0.0";                      ///< --address
  std::uint16_t port = 0;                               ///< --port; 0: any free one, told in the log
  std::string redis_url = "redis://localhost:6379/0";   ///< --redis-url, REDIS_URL; may hold a password: better there
  std::string queue = "corbel:queue";                   ///< --queue, CORBEL_QUEUE
  std::string tenant = "home";                          ///< --tenant, TENANT_ID
  std::string project = "default-project";              ///< --project, PROJECT_ID
  std::string instance;                                 ///< --instance, INSTANCE_ID; "<kind>-<8 hex>" when there is none
  std::string relay_identity = "kdcube.relay.chatbot";  ///< --relay-identity, CB_RELAY_IDENTITY
  log_level level = log_level::info;                    ///< --log-level, LOG_LEVEL: error, warning, info, debug, off
  std::uint32_t redis_connections = 32;                 ///< --redis-max-connections
  std::uint32_t concurrency = 8;                        ///< --concurrency: messages worked at once
  std::chrono::milliseconds lease{30000};               ///< --lease-ms: a message of a dead worker comes back after it
  std::chrono::milliseconds drain_notice{1000};         ///< --drain-notice-ms: so long /health answers 503 at least
  std::chrono::milliseconds drain_timeout{30000};       ///< --drain-timeout-ms: for the work in flight

  host_identity identity() const { return {instance, tenant, project, port}; }
  relay_scope scope() const { return {relay_identity, tenant, project}; }
  /// Log lines as JSON on standard output.
  runtime_options runtime(const std::string &name) const;
  redis_options redis() const;
};

/// The options, or the exit status of a process that has said why on standard output (--help: 0) or error (2).
std::variant<host_options, int> read_host_options(const host_kind &kind, int argc, const char *const *argv);

}  // namespace corbel
