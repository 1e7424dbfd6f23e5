#pragma once
/// src/host owns what every thin host shares: options, workers, signals, drain. Callers: main functions. Threads: the main
/// thread.
///
/// What a host is told: the gateway document (see <corbel/gateway.hpp>) says what its capacity and its pools are; the rest
/// comes from the command line, else from the environment, else it is the default.

#include "operations/identity.hpp"
#include "relay/channel.hpp"

#include <corbel/gateway.hpp>
#include <corbel/queue_options.hpp>
#include <corbel/runtime.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace corbel {

/// What is special to one component.
struct host_kind {
  std::string name;         ///< "ingress"
  std::string description;  ///< one sentence for --help
  std::uint16_t port;       ///< default
  std::string port_variable;
  bool works_queue = false;  ///< has --concurrency, --lease-ms and --after-crash; else --admission
};

struct host_options {
  enum class task { serve, print_table, print_json, check };
  task what = task::serve;  ///< --print-config table|json, --check

  gateway_load load;     ///< without faults; --redis-url, --tenant, --project, --instance stand in for the environment's
  unsigned workers = 1;  ///< --workers, else processes_per_instance
  std::int64_t instances = 1;                           ///< --instances, for --check
  std::string address = "0.0.0.0";                      ///< --address
  std::uint16_t port = 0;                               ///< --port; 0: any free one, told in the log
  std::string queue = "corbel:queue";                   ///< --queue, CORBEL_QUEUE; native
  queue_layout layout = queue_layout::native;           ///< --queue-layout native|platform, CORBEL_QUEUE_LAYOUT
  after_crash crashed = after_crash::retry;             ///< --after-crash retry|interrupt
  std::optional<bool> wants_admission = {};             ///< --admission auto|on|off
  bool admission = false;                               ///< what comes of it, see queue.hpp
  std::optional<std::int64_t> max_queue_size = {};      ///< of the component whose capacity counts
  std::string relay_identity = "kdcube.relay.chatbot";  ///< --relay-identity, CB_RELAY_IDENTITY
  log_level level = log_level::info;                    ///< --log-level, LOG_LEVEL: error, warning, info, debug, off
  bool has_postgres = false;                            ///< a POSTGRES_... or PG... variable says where it is
  std::string bundles_root = {};                        ///< --bundles-root, CORBEL_BUNDLES_ROOT; empty: no bundles
  bool bundles_beside_platform = false;                 ///< --bundles-layout platform, CORBEL_BUNDLES_LAYOUT
  std::string bundles_file = {};                        ///< --bundles; empty: what the environment says, else Redis
  std::vector<std::string> bundle_environment = {};     ///< --bundle-environment: variables that handlers may ask for
  bool internal_port = false;                           ///< --internal-port: operations of bundles need no token
  std::uint32_t concurrency = 0;                        ///< --concurrency, else concurrent_requests_per_process
  bool concurrency_given = false;                       ///< by the command line: whatever the document says
  std::chrono::milliseconds lease{30000};               ///< --lease-ms: a message of a dead worker comes back after it
  std::chrono::milliseconds drain_notice{1000};         ///< --drain-notice-ms: so long /health answers 503 at least
  std::chrono::milliseconds drain_timeout{30000};       ///< --drain-timeout-ms: for the work in flight

  std::string otlp_endpoint = {};                ///< OTEL_EXPORTER_OTLP_ENDPOINT; empty: metrics are not sent
  std::string otlp_ca = {};                      ///< OTEL_EXPORTER_OTLP_CERTIFICATE, trusted for https; empty: the system's
  std::chrono::milliseconds otlp_every{10'000};  ///< OTEL_METRIC_EXPORT_INTERVAL, in ms
  std::string operations_token = {};             ///< CORBEL_OPERATIONS_TOKEN, or the file that ..._TOKEN_FILE names

  const gateway_settings &settings() const noexcept { return load.reading.settings; }
  host_identity identity() const { return {settings().instance_id, settings().tenant, settings().project, port}; }
  /// What the gateway document decides: concurrency, admission and its numbers. consuming: the settings of the component
  /// whose capacity counts.
  void follow(const gateway_settings &own, const gateway_settings &consuming);
  relay_scope scope() const { return {relay_identity, settings().tenant, settings().project}; }
  /// Log lines as JSON on standard output.
  runtime_options runtime(const std::string &name) const;
};

/// The options, or the exit status of a process that has said why on standard output (--help: 0) or error (2): wrong
/// options, or a gateway document with faults, all of which are told.
std::variant<host_options, int> read_host_options(const host_kind &kind, int argc, const char *const *argv);

}  // namespace corbel
