#include "host/options.hpp"
#include "host/queue.hpp"

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
  CHECK(exit_status(proc, {"--bundles", "bundles.yaml"}) == 2);
  CHECK(sound(proc, {"--bundles", "bundles.yaml", "--bundles-root", "/srv/bundles"}).bundles_root == "/srv/bundles");
  CHECK(sound(proc, {"--concurrency", "3", "--lease-ms", "5000"}).lease == std::chrono::seconds(5));
}

TEST_CASE("the queue: its layout, and what becomes of started work") {
  auto q = queue_of(sound(proc, {"--concurrency", "9", "--lease-ms", "2000"}));
  CHECK(q.layout == queue_layout::native);
  CHECK(q.name == "corbel:queue");
  CHECK(q.concurrency == 9);
  CHECK(q.lease == std::chrono::milliseconds(2000));
  CHECK(q.crashed == after_crash::retry);
  CHECK_FALSE(q.admission);
  auto p =
      queue_of(sound(proc, {"--queue-layout", "platform", "--after-crash", "interrupt", "--tenant", "t", "--project", "p"}));
  CHECK(p.layout == queue_layout::platform);
  CHECK(p.crashed == after_crash::interrupt);
  CHECK(p.tenant == "t");
  CHECK(p.project == "p");
  CHECK(exit_status(proc, {"--queue-layout", "other"}) == 2);
  CHECK(exit_status(proc, {"--admission", "on"}) == 2);
  CHECK(exit_status(ingress, {"--after-crash", "retry"}) == 2);
  variable layout("CORBEL_QUEUE_LAYOUT", "platform");
  CHECK(sound(ingress, {}).layout == queue_layout::platform);
}

TEST_CASE("admission is there when it is asked for, on the platform's queue, and where the document speaks of it") {
  CHECK_FALSE(queue_of(sound(ingress, {})).admission);
  CHECK(queue_of(sound(ingress, {"--admission", "on"})).admission);
  CHECK(queue_of(sound(ingress, {"--queue-layout", "platform"})).admission);
  CHECK_FALSE(queue_of(sound(ingress, {"--queue-layout", "platform", "--admission", "off"})).admission);
  {
    variable other("GATEWAY_CONFIG_JSON", R"({"limits": {"ingress": {"max_queue_size": 7}, "proc": {}}})");
    CHECK_FALSE(queue_of(sound(ingress, {})).admission);  // of those who put: it binds nobody
  }
  {
    variable bound("GATEWAY_CONFIG_JSON", R"({"limits": {"proc": {"max_queue_size": 7}}})");
    auto a = queue_of(sound(ingress, {})).admission;
    REQUIRE(a);
    CHECK(a->max_queue_size == 7);
    CHECK(a->service == "chat:proc");
  }
  variable document("GATEWAY_CONFIG_JSON",
                    R"({"tenant": "t", "project": "p", "monitoring": {"heartbeat_timeout_seconds": 20},
                        "backpressure": {"capacity_buffer": 0.1, "queue_depth_multiplier": 3, "anonymous_pressure_threshold": 0.5,
                                         "registered_pressure_threshold": 0.6, "paid_pressure_threshold": 0.7,
                                         "hard_limit_threshold": 0.9, "capacity_source_component": "Ingress"}})");
  auto a = queue_of(sound(ingress, {})).admission;
  REQUIRE(a);
  CHECK(a->buffer == 0.1);
  CHECK(a->multiplier == 3);
  CHECK(a->anonymous == 0.5);
  CHECK(a->registered == 0.6);
  CHECK(a->paid == 0.7);
  CHECK(a->hard == 0.9);
  CHECK(a->service == "chat:rest");
  CHECK(a->tenant == "t");
  CHECK(a->project == "p");
  CHECK(a->heartbeat_timeout == std::chrono::seconds(20));
  CHECK_FALSE(queue_of(sound(ingress, {"--admission", "off"})).admission);
}

TEST_CASE("a heartbeat says who the process is and what it holds") {
  auto h = heartbeat_of(sound(proc, {"--concurrency", "3", "--port", "9000", "--instance", "i"}), "chat:proc");
  CHECK(h.instance == "i");
  CHECK(h.capacity == 3);
  CHECK(h.port == std::uint16_t(9000));
  CHECK(h.service == "chat:proc");
  CHECK_FALSE(heartbeat_of(sound(proc, {"--port", "0"}), "chat:proc").port);
}
