// Outside text about bundles, damaged: registries, messages, locations, paths, deliveries. Always an answer, and nothing
// that is taken leads outside. The same seeds in every run; FUZZ_ROUNDS in the environment makes it longer.
#include "bundle/path_check.hpp"
#include "bundle/registry_plan.hpp"
#include "bundle/registry_update.hpp"
#include "bundle/source_access.hpp"
#include "git/location.hpp"
#include "git/revision.hpp"

#include <corbel/bundle_webhook.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <random>

using namespace corbel;
using namespace corbel::detail;

namespace {

const std::string documents[] = {
    R"({"default_bundle_id": "app@1-0", "bundles": {"app@1-0": {"id": "app@1-0", "name": null, "path": "/managed/x", "module":
     "entrypoint", "singleton": false, "repo": "git@h:o/repo.git", "ref": "main", "subdir": "sub/dir", "git_commit": null},
     "b": {"repo": "https://u:p@h.example:8443/b.git", "ref": "v1", "config": {"a": [1, 2.5, "x"]}, "props": {}}}})",
    "bundles:\n  version: '1'\n  default_bundle_id: a\n  items:\n  - id: a\n    repo: ssh://git@h/o/a.git\n    subdir: "
    "./x//y\n"
    "    config: {k: env:NAME}\n  - {id: b, path: /local, module: b.entrypoint}\n  - &c {id: c, repo: file:///r}\n",
    R"({"type": "bundles.update", "op": "merge", "bundles": {"a": {"repo": "x"}}, "changed_bundle_ids": ["a"], "tenant": "t"})",
    R"({"tenant": "t", "project": "p", "op": "replace", "ts": 1.5, "registry": {"bundles": {"a": {}, "b": null}}})"};
const std::string odd[] = {"..",       "/",
                           "../",      ".git",
                           "\\",       "\"",
                           "{",        "}",
                           "[",        "]",
                           ":",        ",",
                           "\n",       "- ",
                           "  ",       "&a",
                           "*a",       "null",
                           "true",     "-1",
                           "1e9",      "--x",
                           "-o",       "://",
                           "@",        "%2e%2e",
                           "\x7f",     std::string(1, '\0'),
                           "\xff\xfe", "\xe2\x80\xae",
                           "~",        "git_url",
                           "repo",     "subdir",
                           "id",       "a/../../b",
                           ".GIT",     "file://"};

unsigned rounds() {
  const char *given = std::getenv("FUZZ_ROUNDS");
  return given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : 3000;
}

std::string damaged(std::mt19937 &random, std::string text) {
  for (auto n = 1 + random() % 4; n > 0; --n) {
    const auto at = text.empty() ? 0 : random() % text.size();
    switch (random() % 5) {
      case 0:
        text.insert(at, odd[random() % std::size(odd)]);
        break;
      case 1:
        text.erase(at, 1 + random() % 12);
        break;
      case 2:
        if (!text.empty()) text[at] = static_cast<char>(random());
        break;
      case 3:
        text.insert(at, text.substr(random() % (text.size() + 1), random() % 40));
        break;
      default:
        text.replace(at, std::min<std::size_t>(text.size() - at, random() % 6), odd[random() % std::size(odd)]);
    }
  }
  return text;
}

/// Where a path ends up, told by other means than those under test.
bool stays_inside(const std::string &path) {
  const auto end = (std::filesystem::path("/top/of/it") / path).lexically_normal().string();
  return end == "/top/of/it" || end == "/top/of/it/" || end.starts_with("/top/of/it/");
}

}  // namespace

TEST_CASE("registries: what is taken is sound, and a loader would take it or say why") {
  std::mt19937 random(1);
  registry_plan plan(std::chrono::seconds(60), true);
  for (unsigned i = 0; i < rounds(); ++i) {
    const auto text = damaged(random, documents[random() % 2]);
    const auto registry = read_bundle_registry(text);
    for (const auto &e : registry.entries) {
      CHECK_FALSE(check_bundle_id(e.id));
      if (e.repo.empty()) {
        CHECK((e.path.empty() || e.path.starts_with('/')));
        continue;
      }
      CHECK(stays_inside(e.subdir));
      CHECK(e.path.empty());
      CHECK_FALSE(check_git_ref(e.ref));
      CHECK(complete_source({.id = e.id, .url = e.repo, .ref = e.ref, .subdir = e.subdir}, {}));
    }
    for (const auto &f : registry.faults) CHECK_FALSE(f.text.empty());
    const auto change = plan.read(registry);
    // Nothing is both taken and forgotten.
    for (const auto &id : change.forget)
      for (const auto &s : change.load) CHECK(s.id != id);
    CHECK(plan.read(registry).load.empty());
    bundle_registry_json(registry);
  }
}

TEST_CASE("messages name ids or are none") {
  std::mt19937 random(2);
  for (unsigned i = 0; i < rounds(); ++i) {
    auto named = read_registry_update(damaged(random, documents[2 + random() % 2]), "t", "p");
    if (!named) CHECK_FALSE(named.error().message().empty());
  }
}

TEST_CASE("locations: no password in what is shown, nothing that is read as an option") {
  const std::string seeds[] = {"https://user:Zq7Zq7Zq7@h.example:8443/team/app.git", "git@h.example:team/app.git",
                               "ssh://git@h.example/team/app.git", "file:///srv/app.git", "/srv/app.git"};
  const bundle_access access{.secret = "Kp3Kp3Kp3"};
  std::mt19937 random(3);
  for (unsigned i = 0; i < rounds(); ++i) {
    const auto text = damaged(random, seeds[random() % std::size(seeds)]);
    auto where = read_git_location(text);
    auto s = complete_source({.id = "a", .url = text}, access);
    if (!s) {
      CHECK(s.error().message().find("Zq7Zq7") == std::string::npos);
      continue;
    }
    CHECK_FALSE(s->url.starts_with('-'));
    CHECK(s->url.find("Kp3") == std::string::npos);
    // The loader's token goes over https only.
    if (s->secret == access.secret) CHECK(s->url.starts_with("https://"));
    CAPTURE(text);
    CAPTURE(s->url);
    const auto again = complete_source(*s, access);
    REQUIRE_MESSAGE(again, again.error().message());
    CHECK(*again == *s);
    REQUIRE(where);
    CHECK_FALSE(where->host.starts_with('-'));
    const auto authority = where->url.substr(0, where->url.find('/', where->url.find("://") + 3));
    if (!where->password.empty()) CHECK(authority.find(":" + where->password + "@") == std::string::npos);
  }
}

TEST_CASE("paths stay inside") {
  std::mt19937 random(4);
  for (unsigned i = 0; i < 3 * rounds(); ++i) {
    const auto text = damaged(random, random() % 2 ? "a/b/c.py" : "../a/./b//c/..");
    if (auto subdir = clean_subdir(text)) {
      CHECK(stays_inside(*subdir));
      CHECK(*clean_subdir(*subdir) == *subdir);
      CHECK_FALSE((*subdir + "/").starts_with(".git/"));
    }
    if (!check_entry_path(text, 1024)) {
      CHECK(stays_inside(text));
      CHECK_FALSE(text.starts_with('/'));
    }
  }
}

TEST_CASE("deliveries: nothing damaged is let in") {
  const std::string body = "Hello, World!", secret = "It's a Secret to Everybody",
                    right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  std::mt19937 random(5);
  for (unsigned i = 0; i < rounds(); ++i) {
    const auto signature = damaged(random, right), token = damaged(random, secret);
    if (signature != right) CHECK_FALSE(verify_webhook(secret, {.signature = signature, .body = body}));
    if (token != secret) CHECK_FALSE(verify_webhook(secret, {.token = token, .body = body}));
    const auto other = damaged(random, body);
    if (other != body) CHECK_FALSE(verify_webhook(secret, {.signature = right, .body = other}));
  }
}
