#include <corbel/config.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>

using namespace corbel;

namespace {

gateway_reading with_preset(const char *preset, std::string_view document = "{}") {
  auto r = read_gateway(document);
  apply_preset(r, preset);
  return r;
}

/// What a profile or preset changes against the defaults, by path.
std::map<std::string, std::string> changed(const gateway_settings &s) {
  std::map<std::string, std::string> all;
  for (auto &line : settings_changes(read_gateway("{}").settings, s)) {
    const auto colon = line.find(": ");
    all.emplace(line.substr(0, colon), line.substr(colon + 2));
  }
  return all;
}

using changes = std::map<std::string, std::string>;

}  // namespace

TEST_CASE("profiles change the defaults as the platform does") {
  auto profile = [](const char *name) { return changed(gateway_defaults({}, name).settings); };
  CHECK(profile("development") == changes{{"rate_limits.anonymous.hourly", "120 -> 100"},
                                          {"rate_limits.registered.hourly", "600 -> 1000"},
                                          {"backpressure.anonymous_pressure_threshold", "0.6 -> 0.8"},
                                          {"backpressure.registered_pressure_threshold", "0.8 -> 0.9"},
                                          {"backpressure.paid_pressure_threshold", "0.8 -> 0.9"},
                                          {"circuit_breakers.auth_failure_threshold", "15 -> 20"}});
  CHECK(profile("testing") == changes{{"profile", "\"development\" -> \"testing\""},
                                      {"rate_limits.anonymous.hourly", "120 -> 200"},
                                      {"rate_limits.registered.hourly", "600 -> 2000"},
                                      {"service_capacity.concurrent_requests_per_instance", "null -> 10"},
                                      {"backpressure.capacity_buffer", "0.2 -> 0.15"}});
  CHECK(profile("Production") == changes{{"profile", "\"development\" -> \"production\""},
                                         {"rate_limits.anonymous.hourly", "120 -> 50"},
                                         {"rate_limits.registered.hourly", "600 -> 500"},
                                         {"backpressure.capacity_buffer", "0.2 -> 0.25"},
                                         {"backpressure.anonymous_pressure_threshold", "0.6 -> 0.5"},
                                         {"backpressure.registered_pressure_threshold", "0.8 -> 0.7"},
                                         {"backpressure.paid_pressure_threshold", "0.8 -> 0.7"},
                                         {"circuit_breakers.auth_failure_threshold", "15 -> 10"}});
  CHECK(profile("load_test") == changes{{"profile", "\"development\" -> \"load_test\""},
                                        {"rate_limits.anonymous.hourly", "120 -> 5000"},
                                        {"rate_limits.registered.hourly", "600 -> 10000"},
                                        {"service_capacity.concurrent_requests_per_instance", "null -> 20"},
                                        {"service_capacity.avg_processing_time_seconds", "25.0 -> 15.0"},
                                        {"backpressure.capacity_buffer", "0.2 -> 0.1"},
                                        {"backpressure.queue_depth_multiplier", "2.0 -> 3.0"}});
}

TEST_CASE("values say that a profile gave them") {
  auto r = gateway_defaults({}, "production", 12.5);
  REQUIRE(r);
  CHECK(r.settings.origin("backpressure.capacity_buffer").text() == "GATEWAY_PROFILE=production");
  CHECK(r.settings.origin("service_capacity.avg_processing_time_seconds").text() == "AVG_PROCESSING_TIME_SECONDS");
  CHECK(r.settings.origin("pools.redis_max_connections").text() == "default");
  CHECK(r.settings.service_capacity.avg_processing_time_seconds == 12.5);
}

TEST_CASE("there is no other profile and no other preset") {
  auto r = gateway_defaults({}, "staging");
  REQUIRE(r.faults.size() == 1);
  CHECK(r.faults[0].text() == "GATEWAY_PROFILE: found \"staging\"; allowed: development, testing, production or load_test");
  CHECK(gateway_defaults({}, "testing", -1.0).faults.size() == 1);
  auto p = with_preset("chat");
  REQUIRE(p.faults.size() == 1);
  CHECK(p.faults[0].path == "GATEWAY_PRESET");
}

TEST_CASE("presets") {
  CHECK(preset_replaces_document("chat_production"));
  CHECK(preset_replaces_document("load_test_heavy"));
  CHECK_FALSE(preset_replaces_document("chat_development"));
  CHECK_FALSE(preset_replaces_document("api_high_throughput"));

  auto production = with_preset("chat_production").settings;
  CHECK(production.profile == "production");
  CHECK(production.rate_limit_of("paid") == rate_limit{500, 20, 60});
  CHECK(production.concurrent_requests_per_instance() == 6);
  CHECK(production.backpressure.capacity_buffer == 0.3);
  CHECK(production.origin("profile").text() == "GATEWAY_PRESET=chat_production");

  auto heavy = with_preset("load_test_heavy").settings;
  CHECK(heavy.rate_limit_of("registered") == rate_limit{50000, 500, 60});
  CHECK(heavy.backpressure.queue_depth_multiplier == 4);
  CHECK(heavy.service_capacity.avg_processing_time_seconds == 10);

  auto api =
      with_preset("api_high_throughput", R"({"rate_limits": {"anonymous": {}}, "pools": {"redis_max_connections": 9}})");
  CHECK(api.settings.rate_limit_of("anonymous").hourly == 1000);
  CHECK(api.settings.rate_limits.size() == 1);
  CHECK(api.settings.pools.redis_max_connections == 9);
  CHECK(api.settings.origin("pools.redis_max_connections").text() == "document: pools.redis_max_connections");

  auto chat = with_preset("chat_development",
                          R"({"service_capacity": {"concurrent_requests_per_process": 3, "processes_per_instance": 2}})");
  CHECK(chat.settings.concurrent_requests_per_instance() == 6);
  CHECK(chat.settings.backpressure.anonymous_pressure_threshold == 0.6);
}

TEST_CASE("a preset over a wrong document changes nothing about its faults") {
  auto r = with_preset("chat_development", R"({"pools": {"redis_max_connections": "4"}})");
  REQUIRE(r.faults.size() == 1);
  CHECK(r.why().message() ==
        "1 fault in document: [pools.redis_max_connections: found \"4\" (text); allowed: an integer of at least 1 and at "
        "most 1000000, or null]");
}

TEST_CASE("a preset that contradicts a document is a fault") {
  auto r = with_preset("chat_development", R"({"backpressure": {"anonymous_pressure_threshold": 0.4,
    "registered_pressure_threshold": 0.5, "paid_pressure_threshold": 0.6}})");
  REQUIRE(r.faults.size() == 1);
  CHECK(r.faults[0].path == "backpressure.anonymous_pressure_threshold");
}

TEST_CASE("where capacity is counted from") {
  auto source = [](const char *text) {
    gateway_settings s;
    s.backpressure.capacity_source_component = text;
    auto [type, name] = s.capacity_source();
    return type + "/" + name;
  };
  CHECK(source("proc") == "chat/proc");
  CHECK(source("Chat-Proc") == "chat/proc");
  CHECK(source("rest") == "chat/rest");
  CHECK(source("INGRESS") == "chat/rest");
  CHECK(source("worker") == "chat/worker");
  CHECK(source("a:b") == "a/b");
  CHECK(source(":b") == "chat/b");
  CHECK(source("a:") == "a/proc");
}

TEST_CASE("the limits of a role that has none") {
  auto s = read_gateway(R"({"rate_limits": {"vip": {"hourly": 9}}})").settings;
  CHECK(s.rate_limit_of("paid").hourly == 9);
  s = read_gateway("{}").settings;
  CHECK(s.rate_limit_of("external") == s.rate_limit_of("registered"));
  CHECK(s.publish_limit_of("external") == s.publish_limit_of("registered"));
  CHECK(limit_of(std::nullopt) == std::nullopt);
  CHECK(limit_of(0) == std::nullopt);
  CHECK(limit_of(3) == 3);
}

TEST_CASE("the table has a line for each value") {
  auto table = settings_table(read_gateway(R"({"redis_url": "redis://:geheim@db/2"})").settings);
  CHECK(table.find("pools.redis_max_connections") != table.npos);
  CHECK(table.find("\"redis://***@db/2\"") != table.npos);
  CHECK(table.find("document: redis_url\n") != table.npos);
  CHECK(table.find("geheim") == table.npos);
}
