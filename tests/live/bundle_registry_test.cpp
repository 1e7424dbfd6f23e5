/// The platform's registry, followed: a real Redis that is written to, told of, restarted; and the descriptor's file.

#include "live/bundle_fixture.hpp"
#include "support/redis_server.hpp"

#include <corbel/bundle_follow.hpp>

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

const std::string key = "kdcube:config:bundles:mapping:home:default-project";
const std::string channel = "kdcube:config:bundles:update:home:default-project";

struct registry_fixture : bundle_fixture {
  redis_server server;
  redis_pool redis{rt, {.url = server.url()}};

  registry_fixture() { repo.commit({{"a/x", "1"}, {"b/x", "1"}}); }

  std::string entry(const std::string &id, const std::string &ref = "main", const std::string &more = {}) {
    return "\"" + id + R"(": {"id": ")" + id + R"(", "path": "/managed/x", "name": null, "singleton": false, "repo": ")" +
           repo.url() + R"(", "ref": ")" + ref + "\"" + more + "}";
  }
  static std::string registry(const std::string &entries) {
    return R"({"default_bundle_id": null, "bundles": {)" + entries + "}}";
  }
  void set(const std::string &entries) { server.command({"SET", key, registry(entries)}); }
  void publish(const std::string &message) { server.command({"PUBLISH", channel, message}); }
  std::size_t ready(bundle_follower &f) {
    auto r = now(f.async_ready({.timeout = patience}, asio::use_future));
    REQUIRE_MESSAGE(r, r.error().message());
    return *r;
  }
  bool has(const std::string &id) { return loader.pin(id).has_value(); }
  bool knows(const std::string &id) { return !loader.pin(id).error().is(status::invalid); }
  health_part health_of(const std::string &part = "bundles:registry") {
    for (auto &p : health(rt).parts)
      if (p.part == part) return p;
    return {};
  }
  bundle_follow_options slow{.follow = 0s};  ///< so that only what is told makes it look
};

}  // namespace

TEST_CASE_FIXTURE(registry_fixture, "all that the registry lists is there when it is ready; one bad entry is reported") {
  set(entry("a", "main", R"(, "subdir": "a")") + "," + entry("b", "gone") +
      R"(, "bad": {"id": "bad", "repo": "ftp://x"}, )" +
      R"("kdcube.admin": {"id": "kdcube.admin", "path": "/platform", "module": "admin_bundle.entrypoint"})");
  bundle_follower f(loader, redis, slow);
  CHECK(ready(f) == 1);
  CHECK(content(loader.pin("a")->path() + "/x") == "1");
  CHECK(loader.pin("b").error().is(status::unavailable));
  CHECK_FALSE(knows("bad"));
  CHECK_FALSE(knows("kdcube.admin"));
  CHECK(f.registry()->entries.size() == 3);
  CHECK(f.registry()->default_id == "a");
  CHECK(f.trouble().message().find("bundles.bad.repo") != std::string::npos);
  CHECK(health_of().state == health_state::degraded);
  CHECK(events().find("refused bad\n") != std::string::npos);
  CHECK(log.count("bundles.bad.repo", log_level::error) == 1);
}

TEST_CASE_FIXTURE(registry_fixture, "messages of both shapes make it read again, and look at what they name") {
  set(entry("a"));
  bundle_follower f(loader, redis, slow);
  CHECK(ready(f) == 0);
  // What a message carries is a hint: the key counts.
  set(entry("a") + "," + entry("b"));
  publish(
      R"({"tenant": "home", "project": "default-project", "op": "merge", "ts": 1.0, "registry": {"bundles": {"z": {}}}})");
  CHECK(until(patience, [&] { return has("b"); }));
  CHECK_FALSE(knows("z"));
  const auto second = repo.commit({{"a/x", "2"}});
  publish(R"({"type": "bundles.update", "op": "replace", "bundles": {}, "changed_bundle_ids": ["b"], "tenant": "home",
    "project": "default-project", "updated_by": "x", "ts": "2026-01-01T00:00:00Z"})");
  CHECK(until(patience, [&] { return loader.pin("b")->commit() == second; }));
  CHECK(loader.pin("a")->commit() != second);
  set(entry("b"));
  publish("not even JSON");
  CHECK(until(patience, [&] { return !knows("a"); }));
  CHECK(log.count("is no update", log_level::warning) == 1);
  CHECK(has("b"));
  // Another ref of the same bundle.
  repo.commit({{"b/x", "next"}}, "next");
  set(entry("b", "next"));
  publish("{}");
  CHECK(until(patience, [&] { return content(loader.pin("b")->path() + "/b/x") == "next"; }));
}

TEST_CASE_FIXTURE(registry_fixture, "a server that was away is read again: what was missed is made up for") {
  bundle_follower f(loader, redis, slow);
  CHECK(ready(f) == 0);
  CHECK(health_of().state == health_state::ok);
  for (int round = 0; round < 3; ++round) {
    const auto id = "a" + std::to_string(round);
    server.kill();
    server.start();
    set(entry(id));  // nobody tells of it
    CHECK(until(patience, [&] { return has(id); }));
  }
  // A registry that is gone with its server takes nothing away.
  server.kill();
  fs::remove(server.directory().file("dump.rdb"));
  server.start();
  CHECK(until(patience, [&] { return health_of().state == health_state::degraded; }));
  CHECK(has("a2"));
  set(entry("b"));
  publish("{}");
  CHECK(until(patience, [&] { return has("b") && !knows("a2"); }));
  CHECK(until(patience, [&] { return health_of().state == health_state::ok; }));
}

TEST_CASE_FIXTURE(registry_fixture, "without a server it is not ready, says so, and begins when there is one") {
  set(entry("a"));
  server.command({"SAVE"});
  server.kill();
  bundle_follower f(loader, redis, slow);
  auto r = now(f.async_ready({.timeout = 200ms}, asio::use_future));
  CHECK(r.error().is(status::timeout));
  CHECK(r.error().message().find(key) != std::string::npos);
  CHECK(health(rt).state != health_state::ok);
  server.start();
  CHECK(ready(f) == 0);
  CHECK(has("a"));
  server.command({"DEL", key});
  server.command({"LPUSH", key, "not a string"});
  publish("{}");
  CHECK(until(patience, [&] { return f.trouble().message().find("WRONGTYPE") != std::string::npos; }));
  CHECK(has("a"));
}

TEST_CASE_FIXTURE(registry_fixture, "the file counts more than Redis, is read again when it changes, and may go away") {
  const auto path = place.file("bundles.yaml");
  const auto write = [&](const std::string &text) {
    std::ofstream(path + ".new") << text;
    fs::rename(path + ".new", path);
  };
  write("bundles:\n  items:\n  - {id: a, repo: \"" + repo.url() + "\", ref: main}\n");
  set(entry("b"));
  bundle_follower f(loader, redis, {.file = path, .file_look = 20ms, .follow = 0s});
  CHECK(ready(f) == 0);
  CHECK(has("a"));
  CHECK_FALSE(knows("b"));
  write("bundles:\n  items:\n  - {id: c, repo: \"" + repo.url() + "\", ref: main}\n");
  CHECK(until(patience, [&] { return has("c") && !knows("a"); }));
  fs::remove(path);
  CHECK(until(patience, [&] { return health_of().state == health_state::degraded; }));
  CHECK(has("c"));
  write("bundles: {items: [");
  CHECK(until(patience, [&] { return f.trouble().is(status::invalid); }));
  CHECK(has("c"));
  // Without Redis too, and with a message as the only reason to look.
  write("items: [{id: d, repo: \"" + repo.url() + "\"}]");
  bundle_follower other(loader, std::nullopt, {.file = path, .file_look = 1h});
  CHECK(ready(other) == 0);
  CHECK(has("d"));
}

TEST_CASE_FIXTURE(registry_fixture, "shutdown and free end who waits") {
  server.kill();
  std::optional<bundle_follower> f(std::in_place, loader, redis, slow);
  auto waiting = f->async_ready({.timeout = call::unlimited}, asio::use_future);
  f.reset();
  CHECK(now(std::move(waiting)).error().is(status::closed));
  f.emplace(loader, redis, slow);
  auto again = f->async_ready({.timeout = call::unlimited}, asio::use_future);
  CHECK(rt.shutdown(30s));
  CHECK(now(std::move(again)).error().is(status::closed));
  CHECK_THROWS_AS(bundle_follower(loader, std::nullopt, slow), failure);
}
