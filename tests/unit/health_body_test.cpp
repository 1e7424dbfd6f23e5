#include "operations/health_body.hpp"

#include "operations/health_routes.hpp"

#include <doctest/doctest.h>
#include <simdjson.h>

using namespace corbel;

TEST_CASE("proc is ready when every bundle is there and no look failed; its body says what is not") {
  const host_identity who{.instance = "proc-1"};
  std::vector<bundle_status> all(2);
  all[0].id = "app", all[0].commit = "abc", all[0].path = "/b/app", all[0].state = bundle_state::ready;
  all[1].id = "tool", all[1].state = bundle_state::loading;
  auto at = [](const http_response &r, const char *pointer) {
    simdjson::dom::parser parser;
    return std::string(simdjson::minify(simdjson::dom::element(parser.parse(r.body)).at_pointer(pointer)));
  };
  auto loading = proc_health(who, false, all);
  CHECK(loading.status == 503);
  CHECK(at(loading, "/status") == "\"not_ready\"");
  CHECK(at(loading, "/bundles_preload_ready") == "false");
  CHECK(at(loading, "/bundles_preload_status/tool/status") == "\"running\"");

  all[1].state = bundle_state::absent;
  all[1].why = error(status::refused, "no such repository", "git");
  auto failed = proc_health(who, false, all);
  CHECK(failed.status == 503);
  CHECK(at(failed, "/bundles_git_ready") == "false");
  CHECK(at(failed, "/bundles_git_errors") == R"({"tool":"no such repository"})");
  CHECK(at(failed, "/bundles_preload_ready") == "true");

  all[1].state = bundle_state::ready;
  all[1].why = {};
  CHECK(proc_health(who, false, all).status == 200);
  CHECK(at(proc_health(who, true, all), "/status") == "\"draining\"");
  CHECK(proc_health(who, true, all).status == 503);
  CHECK(proc_health(who, false).status == 200);

  health_summary table{.state = health_state::ok, .because = {}};
  table.parts.push_back({{.part = "redis:main", .state = health_state::ok}, {}, {}});
  CHECK(at(with_parts(proc_health(who, false), health_json(table)), "/parts/redis:main/state") == "\"ok\"");
  CHECK(with_parts({.body = "{}"}, health_json({})).body == R"({"parts": {}})");
}
