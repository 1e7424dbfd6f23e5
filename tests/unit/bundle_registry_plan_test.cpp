// What is loaded and forgotten as the registry changes; and what a message on its channel names.
#include "bundle/registry_plan.hpp"
#include "bundle/registry_update.hpp"

#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::detail;
using namespace std::chrono_literals;

namespace {

bundle_registry of(std::string_view text) { return read_bundle_registry(text); }

std::string said(const registry_plan::change &c) {
  std::string out;
  for (const auto &s : c.load) out += "load " + s.id + " " + s.ref + "\n";
  for (const auto &id : c.forget) out += "forget " + id + "\n";
  for (const auto &id : c.look) out += "look " + id + "\n";
  return out;
}

std::string ids(std::string_view message) {
  auto r = read_registry_update(message, "home", "p");
  if (!r) return r.error().message();
  std::string out;
  for (const auto &id : *r) out += id + " ";
  return out;
}

}  // namespace

TEST_CASE("only the difference is loaded and forgotten; what was named is looked at") {
  registry_plan plan(60s, true);
  const auto two = R"({"a": {"repo": "https://h/a", "ref": "main"}, "b": {"repo": "https://h/b"}, "local": {"path": "/x"}})";
  CHECK(said(plan.read(of(two))) == "load a main\nload b \n");
  CHECK(said(plan.read(of(two))) == "");
  plan.named({"b", "unknown", "local"});
  CHECK(said(plan.read(of(two))) == "look b\n");
  CHECK(said(plan.read(of(two))) == "");
  CHECK(said(plan.read(of(R"({"a": {"repo": "https://h/a", "ref": "next"}, "b": {"path": "/b"}})"))) ==
        "load a next\nforget b\n");
  CHECK(said(plan.read(of(R"({"bundles": {}})"))) == "forget a\n");
  CHECK(plan.empty());
}

TEST_CASE("what is wrong stays as it was; nothing is forgotten by a document that hides an id") {
  registry_plan plan(60s, true);
  plan.read(of(R"({"a": {"repo": "https://h/a"}, "b": {"repo": "https://h/b"}})"));
  CHECK(said(plan.read(of(R"({"a": {"repo": "--upload-pack=x"}, "c": {"repo": "https://h/c"}})"))) == "load c \nforget b\n");
  CHECK(plan.has("a"));
  for (auto text : {"not a registry", "[]", "{", R"({"bundles": 3})",
                    R"({"items": [{"repo": "https://h/x"}, {"id": "c", "repo": "https://h/c"}]})", ""}) {
    CAPTURE(text);
    CHECK(said(plan.read(of(text))) == "");
  }
  // A wrong default hides nobody.
  CHECK(said(plan.read(of(R"({"default_bundle_id": "x", "bundles": {"c": {"repo": "https://h/c"}}})"))) == "forget a\n");
  plan.named({"c"});
  CHECK(said(plan.missing()) == "look c\n");
  CHECK(said(plan.missing()) == "");
}

TEST_CASE("a commit is not followed, everything else is") {
  registry_plan plan(60s, false);
  auto c = plan.read(of(R"({"a": {"repo": "https://h/a", "ref": "0123456789012345678901234567890123456789"},
                            "b": {"repo": "https://h/b", "ref": "v1"}})"));
  REQUIRE(c.load.size() == 2);
  CHECK(c.load[0].follow == 0s);
  CHECK(c.load[1].follow == 60s);
  CHECK_FALSE(c.load[0].required);
}

TEST_CASE("both shapes of messages name ids") {
  CHECK(ids(R"({"tenant": "home", "project": "p", "op": "merge", "ts": 1.5,
    "registry": {"default_bundle_id": "a", "bundles": {"a": {}, "b": {}}}, "actor": null})") == "a b ");
  CHECK(ids(R"({"type": "bundles.update", "op": "replace", "bundles": {"a": {}}, "default_bundle_id": null,
    "tenant": "home", "project": "p", "updated_by": "x", "ts": "2026-01-01T00:00:00Z"})") == "a ");
  CHECK(ids(R"({"type": "bundles.update", "bundles": {"a": {}, "b": {}}, "changed_bundle_ids": ["b"]})") == "b ");
  CHECK(ids(R"({"tenant": "other", "bundles": {}})").find("tenant") == 0);
  CHECK(ids(R"({"type": "bundles.cleanup", "bundles": {}})").find("type") == 0);
  for (auto odd : {"", "null", "[]", "{}", R"({"bundles": []})", R"({"changed_bundle_ids": "a"})", R"({"registry": 1})",
                   R"({"changed_bundle_ids": [1]})"})
    CHECK_FALSE(read_registry_update(odd, "home", "p"));
}
