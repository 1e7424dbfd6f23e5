/// Changes of the registry as operators ask for them.

#include "operations/registry_change.hpp"

#include "json/document.hpp"

#include <doctest/doctest.h>

using namespace corbel;

namespace {

result<registry_change> change(std::string_view now, std::string_view body) {
  const auto document = json_document::parse(body);
  REQUIRE(document);
  return change_registry(now, document->root().object().value());
}

constexpr std::string_view before =
    R"({"default_bundle_id": "a", "bundles": {"a": {"id": "a", "path": "/a"}, "b": {"id": "b", "path": "/b"}}})";

}  // namespace

TEST_CASE("a merge changes what it names, a replacement all; settings go apart") {
  auto merged = change(before, R"({"bundles": {"b": {"repo": "https://h/b.git", "ref": "main", "config": {"k": 1}}}})");
  REQUIRE_MESSAGE(merged, merged.error().message());
  CHECK(merged->count == 2);
  CHECK(merged->default_id == "a");
  CHECK(merged->changed == std::vector<std::string>{"b"});
  CHECK(merged->props == std::vector<std::pair<std::string, std::string>>{{"b", R"({"k": 1})"}});
  CHECK(merged->bundles ==
        R"({"b": {"id": "b", "name": null, "path": "", "module": null, "singleton": false, "description": null, )"
        R"("repo": "https://h/b.git", "ref": "main", "subdir": null, "git_commit": null}})");
  const auto read = read_bundle_registry(merged->registry);
  CHECK(read.faults.empty());
  CHECK(read.entries.size() == 2);
  auto replaced = change(before, R"({"op": "replace", "bundles": {"c": {"path": "/c"}}, "default_bundle_id": "none"})");
  REQUIRE(replaced);
  CHECK(replaced->count == 1);
  CHECK(replaced->default_id == "c");
  CHECK(change("", R"({"bundles": {"c": {"path": "/c"}}})")->count == 1);
}

TEST_CASE("what is wrong is refused as a whole, with where it stands") {
  CHECK(change(before, R"({"op": "add", "bundles": {}})").error().message() == "op: give \"merge\" or \"replace\"");
  CHECK(change(before, R"({"bundles": []})").error().is(status::invalid));
  CHECK(change(before, R"({"bundles": {"c": {"git_url": "x"}}})").error().message().find("bundles.c") != std::string::npos);
  CHECK(change(R"({"bundles": {"bad": {"id": "bad", "subdir": 3, "repo": "https://h/r"}}})",
               R"({"bundles": {"c": {"path": "/c"}}})")
            .error()
            .message()
            .starts_with("what is there has a fault"));
}

TEST_CASE("objects are merged member by member") {
  const auto below = json_document::parse(R"({"a": {"b": 1, "x": [1]}, "t": "old"})");
  const auto above = json_document::parse(R"({"a": {"c": 2, "x": [2]}, "t": null})");
  CHECK(merge_json(below->root(), above->root()) == R"({"a": {"b": 1, "x": [2], "c": 2}, "t": null})");
}
