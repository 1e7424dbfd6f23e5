// Where the document comes from. The environment is a map, the files are real.
#include "support/temp_dir.hpp"

#include <corbel/gateway.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <map>

using namespace corbel;
using corbel::test::temp_dir;

namespace {

using variables = std::map<std::string, std::string>;

gateway_load load(const variables &v, std::string component = {}) {
  return load_gateway(
      [&](const std::string &name) -> std::optional<std::string> {
        auto it = v.find(name);
        return it == v.end() ? std::nullopt : std::optional(it->second);
      },
      std::move(component));
}

std::string write(const temp_dir &dir, const std::string &name, const std::string &text) {
  std::ofstream(dir.file(name)) << text;
  return dir.file(name);
}

std::string origin(const gateway_load &l, const char *path) { return l.reading.settings.origin(path).text(); }

std::string faults(const gateway_load &l) {
  std::string all;
  for (auto &f : l.reading.faults) all += f.text() + "\n";
  return all;
}

}  // namespace

TEST_CASE("nothing is set: the defaults of the development profile") {
  auto l = load({});
  REQUIRE(l.reading);
  const auto &s = l.reading.settings;
  CHECK(s.component == "ingress");
  CHECK(s.tenant == "home");
  CHECK(s.project == "default-project");
  CHECK(s.instance_id == "default-instance");
  CHECK(s.redis_url == "redis://localhost:6379/0");
  CHECK(s.rate_limit_of("anonymous").hourly == 100);
  CHECK(origin(l, "rate_limits.anonymous.hourly") == "GATEWAY_PROFILE=development");
  CHECK_FALSE(l.forced);
  // What a forced start would write reads as the same settings.
  auto again = read_gateway(l.document);
  REQUIRE(again);
  CHECK(settings_changes(s, again.settings).empty());
}

TEST_CASE("the sources come in order") {
  temp_dir dir;
  write(dir, "gateway.yaml", "gateway: {pools: {redis_max_connections: 3}}");
  auto other = write(dir, "other.yaml", "pools: {redis_max_connections: 2}");
  variables v{{"GATEWAY_PROFILE", "production"}, {"PLATFORM_DESCRIPTORS_DIR", dir.path().string()}};
  auto l = load(v);
  CHECK(faults(l) == "");
  CHECK(l.reading.settings.pools.redis_max_connections == 3);
  CHECK(origin(l, "pools.redis_max_connections") == dir.file("gateway.yaml") + ": gateway.pools.redis_max_connections");
  CHECK(l.reading.settings.profile == "development");  // a document's profile is its own

  v["GATEWAY_YAML_PATH"] = other;
  l = load(v);
  CHECK(l.reading.settings.pools.redis_max_connections == 2);
  CHECK(origin(l, "pools.redis_max_connections") == other + ": pools.redis_max_connections");

  v["GATEWAY_CONFIG_JSON"] = R"({"pools": {"redis_max_connections": 1}})";
  l = load(v);
  CHECK(l.reading.settings.pools.redis_max_connections == 1);
  CHECK(origin(l, "pools.redis_max_connections") == "GATEWAY_CONFIG_JSON: pools.redis_max_connections");

  v["GATEWAY_CONFIG_JSON"] = "";  // empty is not set
  CHECK(load(v).reading.settings.pools.redis_max_connections == 2);
}

TEST_CASE("a wrong source is refused, none takes its place") {
  temp_dir dir;
  write(dir, "gateway.yaml", "gateway: {pools: {redis_max_connections: '3'}}");
  const auto folder = dir.path().string();
  CHECK(faults(load({{"GATEWAY_CONFIG_JSON", "{"}, {"PLATFORM_DESCRIPTORS_DIR", folder}})).find("JSON at byte 1") !=
        std::string::npos);
  auto l = load({{"PLATFORM_DESCRIPTORS_DIR", folder}});
  CHECK(l.reading.why().message() ==
        "1 fault in " + dir.file("gateway.yaml") +
            ": [gateway.pools.redis_max_connections: found \"3\" (text); allowed: an integer of at least 1 and at most "
            "1000000, or null]");
  CHECK(l.document.empty());
  CHECK(faults(load({{"GATEWAY_YAML_PATH", dir.file("none.yaml")}, {"PLATFORM_DESCRIPTORS_DIR", folder}})) ==
        "found a file that cannot be read (No such file or directory); allowed: a YAML file\n");
  CHECK(faults(load({{"GATEWAY_YAML_PATH", folder}})) ==
        "found a file that cannot be read (Is a directory); allowed: a YAML file\n");
  CHECK(faults(load({{"GATEWAY_YAML_PATH", write(dir, "empty.yaml", "")}})) == "found null; allowed: an object\n");
  CHECK(faults(load({{"GATEWAY_YAML_PATH", write(dir, "big.yaml", "# " + std::string(3 << 20, 'x'))}}))
            .find("over the limit of 1048576") != std::string::npos);
  CHECK(faults(load({{"GATEWAY_PROFILE", "staging"}})).find("GATEWAY_PROFILE: ") == 0);
  CHECK(faults(load({{"AVG_PROCESSING_TIME_SECONDS", "fast"}})) ==
        "AVG_PROCESSING_TIME_SECONDS: found \"fast\"; allowed: a number\n");
  CHECK(faults(load({{"GATEWAY_PRESET", "chat"}})).find("GATEWAY_PRESET: ") == 0);
  CHECK(faults(load({{"GATEWAY_CONFIG_FORCE_ENV_ON_STARTUP", "maybe"}})).find("GATEWAY_CONFIG_FORCE_ENV_ON_STARTUP: ") == 0);
}

TEST_CASE("every fault at once, those around the document too") {
  auto l = load({{"GATEWAY_CONFIG_JSON", R"({"pools": {"redis_max_connections": "4"}, "limits": []})"},
                 {"REDIS_PORT", "redis"},
                 {"GATEWAY_PRESET", "none"}});
  CHECK(l.reading.faults.size() == 4);
}

TEST_CASE("a folder without the file is a warning, and leaves it to the profile") {
  temp_dir dir;
  auto l = load({{"PLATFORM_DESCRIPTORS_DIR", dir.path().string()},
                 {"GATEWAY_PROFILE", "LOAD_TEST"},
                 {"AVG_PROCESSING_TIME_SECONDS", "2.5"}});
  REQUIRE(l.reading);
  CHECK(l.reading.settings.profile == "load_test");
  CHECK(l.reading.settings.service_capacity.avg_processing_time_seconds == 15);  // the profile's own
  CHECK(l.reading.warnings.back().text() == dir.file("gateway.yaml") + " does not exist: defaults are used");
  CHECK(load({{"AVG_PROCESSING_TIME_SECONDS", "2.5"}}).reading.settings.service_capacity.avg_processing_time_seconds == 2.5);
}

TEST_CASE("components") {
  const variables v{{"GATEWAY_CONFIG_JSON", R"({"pools": {"proc": {"redis_max_connections": 3}, "ingress": {}}})"},
                    {"GATEWAY_COMPONENT", " Worker "}};
  CHECK(load(v).reading.settings.component == "proc");
  CHECK(load(v).reading.settings.pools.redis_max_connections == 3);
  CHECK(load(v, "chat-rest").reading.settings.pools.redis_max_connections == std::nullopt);
}

TEST_CASE("tenant, project and instance around the document") {
  variables v{{"GATEWAY_CONFIG_JSON", R"({"tenant": "{{ TENANT }}", "project": "PROJECT_ID", "instance_id": "doc"})"}};
  CHECK(load(v).reading.settings.tenant == "home");
  CHECK(load(v).reading.settings.instance_id == "doc");
  v.insert({{"TENANT_ID", "acme"}, {"PROJECT_ID", "p"}, {"INSTANCE_ID", "pod-1"}});
  CHECK(load(v).reading.settings.project == "p");
  v["DEFAULT_PROJECT_NAME"] = "d";
  auto l = load(v);
  CHECK(l.reading.settings.tenant == "acme");
  CHECK(origin(l, "tenant") == "TENANT_ID");
  CHECK(origin(l, "project") == "DEFAULT_PROJECT_NAME");
  CHECK(l.reading.settings.instance_id == "pod-1");
  CHECK(origin(l, "instance_id") == "INSTANCE_ID");
  CHECK(gateway_copy_key(l.reading.settings) == "acme:d:kdcube:config:gateway:current");
  CHECK(gateway_update_channel(l.reading.settings) == "acme:d:kdcube:config:gateway:update");
}

TEST_CASE("the Redis URL") {
  auto url = [](const variables &v) { return load(v).reading.settings.redis_url; };
  CHECK(url({{"REDIS_URL", "rediss://:x@db"}, {"REDIS_HOST", "other"}}) == "rediss://:x@db");
  CHECK(url({{"REDIS_HOST", "db"}}) == "redis://db:6379/0");
  CHECK(url({{"REDIS_HOST", "fe80::1"}, {"REDIS_PORT", "7000"}, {"REDIS_DB", "3"}}) == "redis://[fe80::1]:7000/3");
  CHECK(url({{"REDIS_PASSWORD", "p@ss:w/rd #%"}}) == "redis://:p%40ss%3Aw%2Frd%20%23%25@localhost:6379/0");
  CHECK(url({{"GATEWAY_CONFIG_JSON", R"({"redis_url": "redis://doc"})"}}) == "redis://doc");
  CHECK(url({{"GATEWAY_CONFIG_JSON", R"({"redis_url": "redis://doc"})"}, {"REDIS_DB", "2"}}) == "redis://localhost:6379/2");
  CHECK(origin(load({{"REDIS_HOST", "db"}, {"REDIS_PASSWORD", "x"}}), "redis_url") == "REDIS_HOST, REDIS_PASSWORD");
  CHECK(faults(load({{"REDIS_URL", "redis://u:geheim"}})).find("geheim") == std::string::npos);
  CHECK(faults(load({{"REDIS_URL", "redis://u:geheim"}})).find("REDIS_URL: found text that is no such URL") == 0);
  CHECK(faults(load({{"REDIS_PORT", "70000"}})) == "REDIS_PORT: found \"70000\"; allowed: 1 to 65535\n");
  CHECK(faults(load({{"REDIS_DB", "-1"}})) == "REDIS_DB: found \"-1\"; allowed: the number of a database\n");
  CHECK(faults(load({{"REDIS_HOST", "a b"}})) == "REDIS_HOST: found \"a b\"; allowed: a host name or an address\n");
  CHECK(faults(load({{"REDIS_TOPOLOGY", "cluster"}})) == "REDIS_TOPOLOGY: found \"cluster\"; allowed: standalone\n");
}

TEST_CASE("presets take the place of a document, or change it") {
  variables v{{"GATEWAY_CONFIG_JSON", R"({"pools": {"redis_max_connections": 4}, "limits": "wrong"})"},
              {"GATEWAY_PRESET", "chat_production"}};
  auto l = load(v);
  CHECK(faults(l) == "");
  CHECK(l.reading.settings.pools.redis_max_connections == std::nullopt);
  CHECK(l.reading.settings.profile == "production");
  CHECK(l.reading.warnings.back().text() ==
        "GATEWAY_CONFIG_JSON: not read, because GATEWAY_PRESET=chat_production takes its place");
  v["GATEWAY_PRESET"] = "api_high_throughput";
  CHECK(load(v).reading.faults.size() == 1);
  v["GATEWAY_CONFIG_JSON"] = R"({"pools": {"redis_max_connections": 4}})";
  l = load(v);
  CHECK(faults(l) == "");
  CHECK(l.reading.settings.pools.redis_max_connections == 4);
  CHECK(l.reading.settings.service_capacity.avg_processing_time_seconds == 2);
  CHECK(l.document.find("\"avg_processing_time_seconds\": 2.0") != std::string::npos);
}

TEST_CASE("what a forced start writes: the document as it is, with the scope, without what is a replica's own") {
  auto l = load({{"GATEWAY_CONFIG_JSON",
                  R"({"instance_id": "i", "redis_url": "redis://:geheim@db", "tenant": "{{x}}", "extra": [1, {"a": null}],
                      "pools": {"proc": {"redis_max_connections": 4}}})"},
                 {"TENANT_ID", "acme"},
                 {"GATEWAY_CONFIG_FORCE_ENV_ON_STARTUP", "Yes"}});
  CHECK(l.forced);
  CHECK(l.document == R"({"extra": [1, {"a": null}], "pools": {"proc": {"redis_max_connections": 4}}, "tenant": "acme", )"
                      R"("project": "default-project", "tenant_id": "acme", "project_id": "default-project"})");
  temp_dir dir;
  l = load({{"GATEWAY_YAML_PATH", write(dir, "g.yaml", "gateway:\n  pools: {redis_max_connections: 4}\nother: 1\n")},
            {"GATEWAY_CONFIG_FORCE_ENV_ON_STARTUP", "0"}});
  CHECK_FALSE(l.forced);
  CHECK(l.document == R"({"pools": {"redis_max_connections": 4}, "tenant": "home", "project": "default-project", )"
                      R"("tenant_id": "home", "project_id": "default-project"})");
}

TEST_CASE("the process' own environment") {
  ::setenv("CORBEL_TEST_VARIABLE", "x", 1);
  CHECK(process_environment()("CORBEL_TEST_VARIABLE") == "x");
  CHECK(process_environment()("CORBEL_TEST_NO_VARIABLE") == std::nullopt);
}
