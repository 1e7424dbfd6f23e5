#include "host/options.hpp"

#include "relay/unique_id.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <map>

namespace corbel {

namespace {

constexpr std::uint32_t most_concurrency = 4096;

/// Whether the gateway document itself says something of what admission goes by.
bool says_backpressure(const gateway_settings &s) {
  return std::any_of(s.origins.begin(), s.origins.end(),
                     [](auto &o) { return o.first.starts_with("backpressure.") && !o.second.path.empty(); });
}

}  // namespace

runtime_options host_options::runtime(const std::string &name) const {
  runtime_options o;
  o.level = level;
  o.name = name;
  o.instance = settings().instance_id;
  o.log_stdout = true;
  return o;
}

void host_options::follow(const gateway_settings &own, const gateway_settings &consuming) {
  load.reading.settings = own;
  if (!concurrency_given)
    concurrency = static_cast<std::uint32_t>(
        std::min<std::int64_t>(own.service_capacity.concurrent_requests_per_process, most_concurrency));
  max_queue_size = limit_of(consuming.limits.max_queue_size);
  admission = wants_admission.value_or(layout == queue_layout::platform || max_queue_size || says_backpressure(own));
}

namespace {

const std::map<std::string, log_level> levels = {{"error", log_level::error},
                                                 {"warning", log_level::warning},
                                                 {"info", log_level::info},
                                                 {"debug", log_level::debug},
                                                 {"off", log_level::off}};
const std::map<std::string, queue_layout> layouts = {{"native", queue_layout::native}, {"platform", queue_layout::platform}};
const std::map<std::string, after_crash> crashes = {{"retry", after_crash::retry}, {"interrupt", after_crash::interrupt}};
const std::map<std::string, host_options::task> prints = {{"table", host_options::task::print_table},
                                                          {"json", host_options::task::print_json}};

/// The process's environment, with what the command line said in its place.
environment with(std::map<std::string, std::string> given) {
  return [given = std::move(given), below = process_environment()](const std::string &name) {
    auto it = given.find(name);
    return it == given.end() ? below(name) : std::optional(it->second);
  };
}

bool names_postgres(const environment &variables) {
  constexpr const char *any[] = {"POSTGRES_HOST", "POSTGRES_DATABASE", "PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE"};
  return std::any_of(std::begin(any), std::end(any), [&](auto name) { return variables(name).value_or("") != ""; });
}

int usage(const std::string &what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  return 2;
}

}  // namespace

std::variant<host_options, int> read_host_options(const host_kind &kind, int argc, const char *const *argv) {
  host_options o;
  o.port = kind.port;
  std::string bundles_layout = "native", level = "info", layout = "native", crashed = "retry", admission = "auto";
  std::string print, redis_url, tenant, project, instance;
  bool check = false;
  unsigned workers = 0;
  std::int64_t lease = o.lease.count(), notice = o.drain_notice.count(), timeout = o.drain_timeout.count();
  CLI::App app(kind.description, "corbel-" + kind.name);
  auto option = [&](const char *name, auto &into, const char *what, const std::string &variable = {}) {
    return app.add_option(name, into, what)->envname(variable)->capture_default_str();
  };
  app.add_option("--workers", workers, "processes, each with its pools; they share the port; else processes_per_instance")
      ->check(CLI::Range(1u, 64u));
  option("--address", o.address, "IP address to listen on");
  option("--port", o.port, "TCP port to listen on; 0: any free one, told in the log", kind.port_variable);
  app.add_option("--redis-url", redis_url,
                 "stands in for REDIS_URL: redis://, rediss:// or unix://; a password is better there");
  option("--queue", o.queue, "name of the queue, where it is a native one", "CORBEL_QUEUE");
  option("--queue-layout", layout, "native, or platform: the chat queue of tenant and project", "CORBEL_QUEUE_LAYOUT")
      ->check(CLI::IsMember(layouts));
  app.add_option("--tenant", tenant, "stands in for TENANT_ID, where the gateway document names no tenant");
  app.add_option("--project", project, "stands in for PROJECT_ID, where the gateway document names no project");
  app.add_option("--instance", instance, "stands in for INSTANCE_ID; made when there is none");
  option("--relay-identity", o.relay_identity, "identity, part of the channels' names", "CB_RELAY_IDENTITY");
  option("--log-level", level, "error, warning, info, debug or off", "LOG_LEVEL")
      ->transform(CLI::IsMember(levels, CLI::ignore_case));
  option("--drain-notice-ms", notice, "after SIGTERM /health answers 503 for so long at least")
      ->check(CLI::Range(0, 3600000));
  option("--drain-timeout-ms", timeout, "after SIGTERM work in flight may take so long")->check(CLI::Range(0, 3600000));
  app.add_option("--print-config", print, "prints the effective settings with their origins, as table or json, and ends")
      ->check(CLI::IsMember({"table", "json"}));
  app.add_flag("--check", check, "asks the servers whether they can carry the plan; ends with 1 when they cannot");
  option("--instances", o.instances, "with --check: how many of this host are planned")->check(CLI::Range(1, 100000));
  if (kind.works_queue) {
    app.add_option("--concurrency", o.concurrency, "messages worked at once; else concurrent_requests_per_process")
        ->check(CLI::Range(1u, most_concurrency));
    option("--bundles-root", o.bundles_root, "absolute folder for bundles of the registry; without it none are loaded",
           "CORBEL_BUNDLES_ROOT");
    option("--bundles-layout", bundles_layout, "native, or platform: the root is a managed root of the platform's",
           "CORBEL_BUNDLES_LAYOUT")
        ->check(CLI::IsMember({"native", "platform"}));
    app.add_option("--bundles", o.bundles_file,
                   "the file that lists the bundles; else BUNDLES_YAML_DESCRIPTOR_PATH and so on, else Redis");
    app.add_option("--bundle-environment", o.bundle_environment,
                   "a variable that a bundle's manifest may ask for; several times");
    app.add_flag("--internal-port", o.internal_port,
                 "only who may call operations of bundles reaches the port: they need no CORBEL_OPERATIONS_TOKEN")
        ->envname("CORBEL_INTERNAL_PORT");
    option("--lease-ms", lease, "a message of a dead worker comes back after it")->check(CLI::Range(1000, 3600000));
    option("--after-crash", crashed, "what becomes of a message whose worker died while it worked: retry or interrupt")
        ->check(CLI::IsMember(crashes));
  } else {
    option("--admission", admission,
           "refuses messages beyond the capacity that heartbeats tell: on, off, or auto: on a platform queue, and where the "
           "gateway document says something of it")
        ->check(CLI::IsMember({"auto", "on", "off"}));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &e) {
    return app.exit(e) == 0 ? 0 : 2;
  }

  std::map<std::string, std::string> given;
  if (!redis_url.empty()) given["REDIS_URL"] = redis_url;
  if (!tenant.empty()) given["TENANT_ID"] = tenant;
  if (!project.empty()) given["DEFAULT_PROJECT_NAME"] = given["PROJECT_ID"] = project;
  if (instance.empty() && process_environment()("INSTANCE_ID").value_or("").empty())
    instance = kind.name + "-" + unique_id().substr(0, 8);
  if (!instance.empty()) given["INSTANCE_ID"] = instance;
  const auto variables = with(std::move(given));
  o.load = load_gateway(variables, kind.name);
  if (!o.load.reading) return usage("corbel-" + kind.name + ": " + o.load.reading.why().message());
  o.has_postgres = names_postgres(variables);

  o.otlp_endpoint = variables("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT").value_or("");
  if (o.otlp_endpoint.empty()) o.otlp_endpoint = variables("OTEL_EXPORTER_OTLP_ENDPOINT").value_or("");
  o.otlp_ca = variables("OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE").value_or("");
  if (o.otlp_ca.empty()) o.otlp_ca = variables("OTEL_EXPORTER_OTLP_CERTIFICATE").value_or("");
  if (const auto every = variables("OTEL_METRIC_EXPORT_INTERVAL").value_or(""); !every.empty()) {
    std::int64_t ms = 0;
    const auto [end, ec] = std::from_chars(every.data(), every.data() + every.size(), ms);
    if (ec != std::errc() || end != every.data() + every.size() || ms < 10 || ms > 3'600'000)
      return usage("OTEL_METRIC_EXPORT_INTERVAL is '" + every + "': give 10 to 3600000 milliseconds");
    o.otlp_every = std::chrono::milliseconds(ms);
  }
  o.operations_token = variables("CORBEL_OPERATIONS_TOKEN").value_or("");
  if (const auto path = variables("CORBEL_OPERATIONS_TOKEN_FILE").value_or("");
      o.operations_token.empty() && !path.empty()) {
    std::ifstream file(path);
    if (!std::getline(file, o.operations_token) || o.operations_token.empty())
      return usage("CORBEL_OPERATIONS_TOKEN_FILE: '" + path + "' holds no token in its first line");
  }

  const auto &capacity = o.settings().service_capacity;
  o.workers = workers != 0 ? workers : static_cast<unsigned>(std::min<std::int64_t>(capacity.processes_per_instance, 64));
  o.concurrency_given = o.concurrency != 0;
  o.level = levels.at(level);
  o.layout = layouts.at(layout);
  o.bundles_beside_platform = bundles_layout == "platform";
  o.crashed = crashes.at(crashed);
  if (kind.works_queue || admission == "off") o.wants_admission = false;
  if (!kind.works_queue && admission == "on") o.wants_admission = true;
  const auto consuming = load_gateway(variables, o.settings().capacity_source().second);
  o.follow(o.settings(), consuming.reading ? consuming.reading.settings : o.settings());
  o.lease = std::chrono::milliseconds(lease);
  o.drain_notice = std::chrono::milliseconds(notice);
  o.drain_timeout = std::chrono::milliseconds(timeout);
  if (!print.empty()) o.what = prints.at(print);
  if (check) o.what = host_options::task::check;
  if (!o.bundles_file.empty() && o.bundles_root.empty())
    return usage("--bundles is given without --bundles-root: say where the bundles may be kept");
  if (o.what == host_options::task::serve && o.workers > 1 && o.port == 0)
    return usage("--port is 0 with " + std::to_string(o.workers) + " workers, which share one port: give its number");
  return o;
}

}  // namespace corbel
