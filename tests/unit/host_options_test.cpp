#include "host/options.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <vector>

using namespace corbel;

namespace {

const host_kind ingress{.name = "ingress", .description = "x", .port = 8010, .port_variable = "CHAT_APP_PORT"};
const host_kind proc{
    .name = "proc", .description = "x", .port = 8020, .port_variable = "CHAT_PROCESSOR_PORT", .works_queue = true};

std::variant<host_options, int> read(const host_kind &kind, std::vector<const char *> arguments) {
  arguments.insert(arguments.begin(), "program");
  return read_host_options(kind, int(arguments.size()), arguments.data());
}
host_options sound(const host_kind &kind, std::vector<const char *> arguments) {
  return std::get<host_options>(read(kind, std::move(arguments)));
}
int exit_status(const host_kind &kind, std::vector<const char *> arguments) {
  return std::get<int>(read(kind, std::move(arguments)));
}

struct variable {
  variable(const char *n, const char *value) : name(n) { ::setenv(n, value, 1); }
  ~variable() { ::unsetenv(name); }
  const char *name;
};

}  // namespace

TEST_CASE("defaults are the platform's") {
  auto a = sound(ingress, {}), b = sound(proc, {});
  CHECK(a.port == 8010);
  CHECK(b.port == 8020);
  CHECK(a.settings().tenant == "home");
  CHECK(a.settings().project == "default-project");
  CHECK(a.queue == "corbel:queue");
  CHECK(a.scope().identity == "kdcube.relay.chatbot");
  CHECK(a.level == log_level::info);
  CHECK(a.settings().instance_id.starts_with("ingress-"));
  CHECK(a.settings().instance_id.size() == 16);
  CHECK(a.settings().instance_id != sound(ingress, {}).settings().instance_id);
}

TEST_CASE("the command line goes before the environment, and that before the default") {
  variable port("CHAT_APP_PORT", "9001"), url("REDIS_URL", "redis://other"), tenant("TENANT_ID", "t"),
      project("PROJECT_ID", "p"), instance("INSTANCE_ID", "i"), level("LOG_LEVEL", "Debug"), empty("CORBEL_QUEUE", "");
  auto o = sound(ingress, {"--tenant", "u", "--log-level", "warning"});
  CHECK(o.port == 9001);
  CHECK(o.settings().redis_url == "redis://other");
  CHECK(o.settings().tenant == "u");
  CHECK(o.settings().project == "p");
  CHECK(o.identity().instance == "i");
  CHECK(o.runtime("n").level == log_level::warning);
  CHECK(o.queue == "corbel:queue");
  CHECK(sound(proc, {}).port == 8020);
  CHECK(sound(ingress, {}).level == log_level::debug);
}

TEST_CASE("the gateway document says the capacity, unless the command line does") {
  variable document("GATEWAY_CONFIG_JSON",
                    R"({"service_capacity": {"processes_per_instance": 3, "concurrent_requests_per_process": 7}})");
  CHECK(sound(proc, {}).workers == 3);
  CHECK(sound(proc, {}).concurrency == 7);
  CHECK(sound(proc, {"--workers", "2", "--concurrency", "9"}).workers == 2);
  CHECK(sound(proc, {"--workers", "2", "--concurrency", "9"}).concurrency == 9);
  CHECK(exit_status(proc, {"--port", "0"}) == 2);
  CHECK(sound(proc, {"--check", "--instances", "3"}).what == host_options::task::check);
  CHECK(sound(proc, {"--print-config", "json"}).what == host_options::task::print_json);
}

TEST_CASE("a gateway document with faults ends with status 2") {
  variable document("GATEWAY_CONFIG_JSON", R"({"pools": {"redis_max_connections": "8"}})");
  CHECK(exit_status(ingress, {}) == 2);
}

TEST_CASE("wrong options end with status 2, help with 0") {
  CHECK(exit_status(ingress, {"--help"}) == 0);
  CHECK(exit_status(ingress, {"--port", "70000"}) == 2);
  CHECK(exit_status(ingress, {"--port", "x"}) == 2);
  CHECK(exit_status(ingress, {"--unknown"}) == 2);
  CHECK(exit_status(ingress, {"--log-level", "loud"}) == 2);
  CHECK(exit_status(ingress, {"--concurrency", "3"}) == 2);
  CHECK(exit_status(proc, {"--concurrency", "0"}) == 2);
  CHECK(sound(proc, {"--concurrency", "3", "--lease-ms", "5000"}).lease == std::chrono::seconds(5));
}
