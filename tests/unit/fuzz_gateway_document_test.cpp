// Damaged gateway documents, as JSON and as YAML: always an answer, never the password in it; what is accepted can be shown,
// written and read again. The same seeds in every run; FUZZ_ROUNDS in the environment makes it longer.
#include <corbel/config.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <random>
#include <string>

using namespace corbel;

namespace {

const std::string secret = "Zq7Zq7Zq7Zq7Zq7Zq7Zq7Zq7";

const std::string json = R"({"tenant": "acme", "project": "{{ PROJECT }}", "profile": "load_test",
 "redis_url": "redis://u:)" +
                         secret + R"(@db:6379/0",
 "rate_limits": {"ingress": {"roles": {"anonymous": {"hourly": -1, "burst": 10}}}, "worker": {"paid": {"burst_window": 5}}},
 "service_capacity": {"concurrent_requests_per_process": 8, "proc": {"processes_per_instance": 4,
  "avg_processing_time_seconds": 0.5}}, "backpressure": {"capacity_buffer": 0.1, "queue_depth_multiplier": 1e3},
 "pools": {"pg_max_connections": 100, "ingress": {"pg_pool_max_size": 4, "redis_max_connections": null}, "proc": {}},
 "limits": {"max_queue_size": 0, "max_integrations_concurrency": 7}, "redis": {"session_ttl": 5},
 "data_bus": {"publish_limits": {"partner": {"enabled": "off", "window_seconds": 9}}},
 "guarded_rest_patterns": {"proc": ["^/a$", ""], "ingress": []}, "monitoring": {}, "circuit_breakers": {}})";

const std::string yaml = "gateway:\n  tenant: acme # whose\n  redis_url: 'redis://u:" + secret +
                         "@db'\n  pools: &p\n    ingress: {redis_max_connections: 0x20}\n    proc:\n"
                         "      - 1\n  limits: *p\n  backpressure:\n    capacity_buffer: .1e0\n  profile: \"testing\"\n";

std::string damaged(std::mt19937 &random, const std::string &whole) {
  static const std::string odd[] = {"{",
                                    "}",
                                    "[",
                                    "]",
                                    ":",
                                    ",",
                                    "\"",
                                    "'",
                                    "&",
                                    "*",
                                    "-",
                                    "\n",
                                    "  ",
                                    "null",
                                    "true",
                                    "-1",
                                    "0",
                                    "1e308",
                                    "9223372036854775807",
                                    "18446744073709551615",
                                    "0.0000001",
                                    "\"\"",
                                    "{}",
                                    "[]",
                                    "ingress",
                                    "proc",
                                    "worker",
                                    "roles",
                                    "~",
                                    "!!str ",
                                    "\x80",
                                    std::string(1, '\0'),
                                    "<<",
                                    "\\ud800",
                                    "\xe2\x80\xa8"};
  auto below = [&](std::size_t end) { return random() % end; };
  auto s = whole;
  for (auto n = 1 + below(4); n > 0 && !s.empty(); --n) {
    const auto at = below(s.size());
    // The URL itself stays whole: nobody could tell a piece of it from any other text.
    const auto url = s.find("redis_url"), end = s.find("@db");
    if (at + 13 > url && at < end) continue;
    switch (below(4)) {
      case 0:
        s.insert(at, odd[below(std::size(odd))]);
        break;
      case 1:
        s.erase(at, 1 + below(12));
        break;
      case 2:
        if (auto piece = s.substr(below(s.size()), below(80)); piece.find("Zq") == piece.npos) s.insert(at, piece);
        break;
      case 3:
        if (const auto digit = s.find_first_of("0123456789", at); digit != s.npos) s.replace(digit, 1, odd[13 + below(9)]);
        break;
    }
  }
  return s;
}

bool is_one_line(const std::string &text) {
  for (unsigned char c : text)
    if (c < 0x20 || c == 0x7f) return false;
  return true;
}

struct tally {
  unsigned accepted = 0, refused = 0;
};

void look(const gateway_reading &r, tally &t) {
  for (auto &f : r.faults) {
    REQUIRE(is_one_line(f.text()));
    REQUIRE(f.text().find("Zq7Zq") == std::string::npos);
  }
  for (auto &w : r.warnings) REQUIRE(is_one_line(w.text()));
  if (!r) {
    ++t.refused;
    REQUIRE(r.why().is(status::invalid));
    return;
  }
  ++t.accepted;
  const auto &s = r.settings;
  const auto d = s.derived();
  REQUIRE(d.total_concurrent > 0);
  REQUIRE(d.total_capacity_per_instance > 0);
  REQUIRE(d.threshold_anonymous <= d.threshold_hard);
  REQUIRE(s.pg_pool_max() >= s.pg_pool_min());
  REQUIRE(s.rate_limit_of("anyone").burst > 0);
  REQUIRE(settings_json(s).find("Zq7Zq") == std::string::npos);
  REQUIRE(settings_table(s).find("Zq7Zq") == std::string::npos);
  gateway_context same;
  same.component = s.component;
  same.instance_id = {s.instance_id, ""};
  same.redis_url = {s.redis_url, ""};
  same.tenant.text = s.tenant;
  same.project.text = s.project;
  auto again = read_gateway(settings_document(s), same);
  REQUIRE_MESSAGE(again, again.why().message());
  REQUIRE(settings_changes(s, again.settings).empty());
}

}  // namespace

TEST_CASE("every damaged document is read or refused") {
  const char *more = std::getenv("FUZZ_ROUNDS");
  const unsigned rounds = more ? static_cast<unsigned>(std::strtoul(more, nullptr, 10)) : 10000;
  tally from_json, from_yaml;
  for (unsigned seed = 0; seed < rounds; ++seed) {
    std::mt19937 random(seed);
    CAPTURE(seed);
    look(read_gateway(damaged(random, json), {.component = seed % 2 == 0 ? "ingress" : "proc"}), from_json);
    look(read_gateway_yaml(damaged(random, yaml)), from_yaml);
  }
  CHECK(from_json.accepted > rounds / 50);
  CHECK(from_json.refused > rounds / 50);
  CHECK(from_yaml.accepted > rounds / 50);
  CHECK(from_yaml.refused > rounds / 50);
}
