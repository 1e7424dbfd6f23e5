// bundles.yaml and the registry's JSON in all their forms; entries are good or bad as a whole.
#include <corbel/bundle_registry.hpp>

#include <doctest/doctest.h>

#include <random>

using namespace corbel;

namespace {

std::string faults(const bundle_registry &r) {
  std::string out;
  for (const auto &f : r.faults) out += f.id + "|" + f.path + "|" + f.text + "\n";
  return out;
}

bundle_registry clean(std::string_view text) {
  auto r = read_bundle_registry(text);
  CHECK(faults(r) == "");
  return r;
}

}  // namespace

TEST_CASE("the descriptor's form, with code in git, local code and settings only") {
  auto r = clean(R"(
bundles:
  version: '1'
  default_bundle_id: local@1
  items:
  - id: app@1-0
    name: App
    repo: git@git.example:team/app.git
    ref: main
    subdir: ./service//bundles/
    singleton: true
    config: {model: {role: fast}, enabled: {bundle: true}}
    props: {enabled: {bundle: false}}
    unknown: [1, 2]
  - id: local@1
    path: /bundles/local
    module: local.entrypoint
  - id: kdcube.admin
    config: {x: env:SECRET}
)");
  CHECK(r.version == "1");
  CHECK(r.default_id == "local@1");
  REQUIRE(r.entries.size() == 3);
  const auto &app = r.entries[0];
  CHECK(app.id == "app@1-0");
  CHECK(app.name == "App");
  CHECK(app.repo == "git@git.example:team/app.git");
  CHECK(app.ref == "main");
  CHECK(app.subdir == "service/bundles");
  CHECK(app.singleton);
  CHECK(app.config == R"({"model": {"role": "fast"}, "enabled": {"bundle": false}})");
  CHECK(r.entries[1].path == "/bundles/local");
  CHECK(r.entries[1].module == "local.entrypoint");
  // A reference stays one: nobody resolves it here.
  CHECK(r.entries[2].config == R"({"x": "env:SECRET"})");
}

TEST_CASE("the other forms") {
  auto top = clean("items:\n- {id: a, repo: https://h.example/a.git}\n- {id: b, path: /b}\n");
  CHECK(top.default_id == "a");
  CHECK(top.entries.size() == 2);
  auto stored =
      clean(R"({"default_bundle_id":"b","bundles":{"a":{"id":"a","name":null,"path":"/managed/x","module":"entrypoint",
    "singleton":false,"description":null,"repo":"https://h.example/a.git","ref":null,"subdir":null,"git_commit":"abc1234"},
    "b":{"id":"b","path":"/b"}}})");
  CHECK(stored.default_id == "b");
  REQUIRE(stored.entries.size() == 2);
  CHECK(stored.entries[0].path.empty());  // what a repository decides is not what is written there
  CHECK(stored.entries[0].ref == "abc1234");
  CHECK(stored.entries[0].git_commit == "abc1234");
  auto flat = clean(R"({"z": {"path": "/z"}, "y": {"path": "/y"}})");
  CHECK(flat.default_id == "z");
  CHECK(flat.entries.size() == 2);
  auto inside = clean("context: {tenant: t}\nbundles:\n  version: 1\n  items: [{id: a, path: /a}]\n");
  CHECK(inside.version == "1");
  CHECK(inside.entries.size() == 1);
  CHECK(clean("bundles: {items: []}").entries.empty());
}

TEST_CASE("a bad entry is left out and reported, the others load") {
  auto r = read_bundle_registry(R"(
items:
- {id: good, repo: https://h.example/a.git}
- {id: option, repo: https://h.example/a.git, ref: --upload-pack=x}
- {id: outside, repo: https://h.example/a.git, subdir: ../x}
- {id: scheme, repo: 'ext::sh -c x'}
- {id: old, git_url: https://h.example/a.git}
- {id: number, repo: 7}
- {repo: https://h.example/a.git}
- {id: good, path: /twice}
- {id: relative, path: here}
- {id: two, repo: 'https://u:Zq7secret@h.example', ref: -x}
- just text
- {id: also, path: /also}
)");
  REQUIRE(r.entries.size() == 2);
  CHECK(r.entries[0].id == "good");
  CHECK(r.entries[1].id == "also");
  CHECK(faults(r) ==
        "option|items[1].ref|the ref begins with '-', which could be taken for an option\n"
        "outside|items[2].subdir|the subfolder leads upwards with '..'\n"
        "scheme|items[3].repo|the repository's URL has a space or a control character\n"
        "old|items[4].git_url|is not taken: it is called repo, ref or subdir\n"
        "number|items[5].repo|expected text, found an integer\n"
        "|items[6]|items[6].id: is missing\n"
        "good|items[7].id|is there twice\n"
        "relative|items[8].path|is not absolute\n"
        "two|items[9].repo|the repository's URL has no path\n"
        "two|items[9].ref|the ref begins with '-', which could be taken for an option\n"
        "|items[10]|items[10]: expected an object, found text\n");
}

TEST_CASE("a default that is none, a key that differs from its id, text that is no document") {
  auto r = read_bundle_registry(
      R"({"default_bundle_id": "x", "bundles": {"a": {"id": "b", "path": "/a"}, "c": {"path": "/c"}}})");
  CHECK(r.default_id == "c");
  CHECK(r.entries.size() == 1);
  CHECK(r.faults.size() == 2);
  for (auto bad : {"", "[1]", "7", "{", "a: [", "bundles: 7", "items: 7", "\"text\""}) {
    CAPTURE(bad);
    auto none = read_bundle_registry(bad);
    CHECK(none.entries.empty());
    CHECK((none.faults.size() == 1 || std::string_view(bad).empty()));
  }
}

TEST_CASE("damaged documents: always an answer, and nothing bad among what is taken") {
  static const std::string whole[] = {
      "bundles:\n  version: '1'\n  default_bundle_id: a\n  items:\n  - id: a\n    repo: git@h.example:o/r.git\n    ref: "
      "main\n    subdir: s/t\n",
      R"({"default_bundle_id":"b","bundles":{"a":{"id":"a","repo":"https://h.example/a.git","ref":"v1","subdir":"x"},"b":{"id":"b","path":"/b"}}})"};
  static const std::string odd = "-:/@.{}[]\"',#\n \t&*!|>%x";
  unsigned entries = 0;
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    std::mt19937 random(seed);
    auto text = whole[random() % 2];
    for (auto n = random() % 6; n > 0; --n) {
      const auto at = random() % text.size();
      if (random() % 2)
        text[at] = odd[random() % odd.size()];
      else
        text.insert(at, random() % 2 ? std::string(1, odd[random() % odd.size()])
                                     : text.substr(random() % text.size(), random() % 9));
    }
    const auto r = read_bundle_registry(text);
    CAPTURE(seed);
    for (const auto &e : r.entries) {
      ++entries;
      REQUIRE_FALSE(e.id.empty());
      REQUIRE_FALSE(e.ref.starts_with('-'));
      REQUIRE_FALSE(e.repo.starts_with('-'));
      REQUIRE(("/" + e.subdir + "/").find("/../") == std::string::npos);
      REQUIRE_FALSE(e.subdir.starts_with('/'));
    }
    for (const auto &f : r.faults) REQUIRE_FALSE(f.text.empty());
  }
  CHECK(entries > 5000);
}
