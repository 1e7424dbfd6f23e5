/// The platform's own routes for bundles: its operator lists, adds, replaces, reloads, cleans up and sets, over the wire.

#include "live/hosts_fixture.hpp"
#include "support/git_repository.hpp"

#include <doctest/doctest.h>

using namespace corbel::test;
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds patience{60};
const std::string admin = "/admin/integrations/bundles", internal = "/internal/bundles/";

struct administered {
  redis_server redis;
  git_repository repo;
  temp_dir place;
  std::string commit = repo.commit({{"main.py", "one"}});
  host proc{"proc", redis.url(), {"--bundles-root", place.file("root")}, {"CORBEL_OPERATIONS_TOKEN=sesame"}};

  std::uint16_t port = proc.port;

  wire_response ask(const std::string &method, const std::string &path, const std::string &body = {},
                    const std::string &fields = "Authorization: Bearer sesame\r\n") {
    http_wire wire(port);
    wire.send(method + " " + path + " HTTP/1.1\r\nHost: t\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body);
    return wire.response();
  }
  std::string entry(const std::string &more = {}) {
    return R"({"repo": ")" + repo.url() + R"(", "ref": "main")" + more + "}";
  }
  bool loaded(const std::string &id) {
    return until(patience, [&] {
      return json_at(ask("POST", internal + "status", R"({"bundle_id": ")" + id + "\"}", "").body, "loaded") == "true";
    });
  }
};

}  // namespace

TEST_CASE_FIXTURE(administered, "an operator merges, lists, replaces; all processes hear of it") {
  auto merged = ask("POST", admin, R"({"bundles": {"app": )" + entry(R"(, "config": {"color": "red"})") + "}}");
  CHECK_MESSAGE(merged.status == 200, merged.body);
  CHECK(json_at(merged.body, "count") == "1");
  CHECK(json_at(merged.body, "default_bundle_id") == "app");
  REQUIRE(loaded("app"));
  auto listed = ask("GET", admin);
  CHECK(json_at(listed.body, "available_bundles.app.git_commit") == commit);
  CHECK(json_at(listed.body, "available_bundles.app.ref") == "main");
  CHECK(json_at(listed.body, "default_bundle_id") == "app");
  CHECK(json_at(listed.body, "authority.kind") == "redis");
  CHECK(ask("POST", admin, R"({"bundles": {"second": )" + entry() + "}}").status == 200);
  REQUIRE(loaded("second"));
  CHECK(ask("POST", admin, R"({"op": "replace", "bundles": {"second": )" + entry() + "}}").status == 200);
  CHECK(until(patience, [&] {
    return json_at(ask("POST", internal + "status", R"({"bundle_id": "app"})", "").body, "declared") == "false";
  }));
  CHECK(json_at(ask("GET", admin).body, "default_bundle_id") == "second");
}

TEST_CASE_FIXTURE(administered, "settings are shown, replaced and merged; a push is taken when the operator says so") {
  REQUIRE(ask("POST", admin, R"({"bundles": {"app": )" + entry(R"(, "config": {"a": {"b": 1}})") + "}}").status == 200);
  REQUIRE(loaded("app"));
  CHECK(json_at(ask("GET", admin + "/app/props").body, "props.a.b") == "1");
  auto set = ask("POST", admin + "/app/props", R"({"op": "merge", "props": {"a": {"c": 2}}})");
  CHECK(json_at(set.body, "props.a.b") == "1");
  CHECK(json_at(set.body, "props.a.c") == "2");
  CHECK(ask("POST", admin + "/app/props", R"({"props": {"only": true}})").status == 200);
  CHECK(redis.command({"GET", "kdcube:config:bundles:props:home:default-project:app"}).text == R"({"only": true})");
  CHECK(ask("GET", admin + "/nowhere/props").status == 404);
  const auto next = repo.commit({{"main.py", "two"}});
  auto reloaded = ask("POST", admin + "/reload-authority", R"({"bundle_id": "app"})");
  CHECK(json_at(reloaded.body, "broadcast_receivers") == "1");
  CHECK(until(patience, [&] { return json_at(ask("GET", admin).body, "available_bundles.app.git_commit") == next; }));
  CHECK(json_at(ask("POST", admin + "/cleanup").body, "status") == "ok");
}

TEST_CASE_FIXTURE(administered, "who may not, and what is wrong, is told apart") {
  CHECK(ask("GET", admin, {}, "").status == 401);
  CHECK(ask("POST", admin, "{}", "Authorization: Bearer wrong\r\n").status == 403);
  CHECK(ask("POST", internal + "status", R"({"bundle_id": "x"})", "X-Forwarded-For: 10.0.0.1\r\n").status == 403);
  CHECK(ask("POST", internal + "update", R"({"bundles": {"x": {"path": "/srv/x"}}})", "").status == 200);
  CHECK(ask("POST", admin, "{").status == 400);
  CHECK(ask("POST", admin, R"({"op": "add", "bundles": {}})").status == 400);
  CHECK(ask("POST", admin, R"({"bundles": {"y": {"git_url": "x"}}})").status == 400);
  CHECK(ask("POST", admin, R"({"tenant": "other", "bundles": {}})").body.find("tenant: this host serves home") !=
        std::string::npos);
  CHECK(ask("POST", admin + "/reload-authority", R"({"bundle_id": "none"})").status == 400);
}

TEST_CASE_FIXTURE(administered, "where a file is the registry, the file is changed") {
  const auto file = place.file("bundles.yaml");
  std::ofstream(file) << "bundles:\n  items:\n  - {id: app, path: /srv/app, config: {a: 1}}\n";
  host filed("proc", redis.url(), {"--bundles-root", place.file("other"), "--bundles", file},
             {"CORBEL_OPERATIONS_TOKEN=sesame"});
  port = filed.port;
  REQUIRE(until(patience, [&] { return ask("GET", admin).status == 200; }));
  CHECK(json_at(ask("GET", admin).body, "authority.detail") == file);
  CHECK(ask("POST", admin, R"({"bundles": {"x": {"path": "/srv/x"}}})").status == 409);
  CHECK(json_at(ask("GET", admin + "/app/props").body, "props.a") == "1");
  CHECK(ask("POST", admin + "/app/props", R"({"props": {}})").status == 409);
}
