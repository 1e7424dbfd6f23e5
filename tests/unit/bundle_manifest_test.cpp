/// bundle.yaml: what may stand there, what is refused and how, and the environment that follows.

#include "bundle/child_manifest.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace corbel::detail;
using namespace std::chrono_literals;

namespace {

std::string refusal(std::string_view yaml) {
  auto m = child_manifest::parse(yaml);
  REQUIRE_FALSE(m);
  CHECK(m.error().native() == "MANIFEST");
  return m.error().message();
}

}  // namespace

TEST_CASE("everything that may stand there") {
  auto m = child_manifest::parse(R"(
command: [python3, main.py, '1']
environment: {LANG: de_DE.UTF-8, TOKEN: , EMPTY: ''}
concurrency: 4
processes: 2
limits: {start: 1.5, turn: 60, stop: 0.25, line: 1000, output: 5000, memory: 1000000, cpu: 3, files: 30, tasks: 20}
)");
  REQUIRE_MESSAGE(m, m.error().message());
  CHECK(m->command == std::vector<std::string>{"python3", "main.py", "1"});
  REQUIRE(m->environment.size() == 3);
  CHECK(m->environment[0].second == "de_DE.UTF-8");
  CHECK_FALSE(m->environment[1].second.has_value());
  CHECK(m->environment[2].second == "");
  CHECK(m->concurrency == 4);
  CHECK(m->processes == 2);
  CHECK(m->start == 1500ms);
  CHECK(m->turn == 60s);
  CHECK(m->stop == 250ms);
  CHECK(m->most_line == 1000);
  CHECK(m->most_output == 5000);
  CHECK(child_limits(*m) == "files=30,memory=1000000,cpu=3,tasks=20");
}

TEST_CASE("the defaults") {
  auto m = child_manifest::parse("command: [run]");
  REQUIRE(m);
  CHECK(m->concurrency == 1);
  CHECK(m->processes == 1);
  CHECK(m->start == 10s);
  CHECK(m->turn == 600s);
  CHECK(m->stop == 10s);
  CHECK(child_limits(*m) == "files=1024");
}

TEST_CASE("what is refused says where it stands") {
  CHECK(refusal("concurrency: 1") == "bundle.yaml: command: is missing");
  CHECK(refusal("command: []") == "bundle.yaml: command: give the program and its arguments");
  CHECK(refusal("command: python3") == "bundle.yaml: command: expected an array, found text");
  CHECK(refusal("command: [1]") == "bundle.yaml: command[0]: expected text, found an integer");
  CHECK(refusal("command: [a]\nconcurency: 2") == "bundle.yaml: concurency is not a known name here");
  CHECK(refusal("command: [a]\nconcurrency: 0") == "bundle.yaml: concurrency: give 1 to 1024");
  CHECK(refusal("command: [a]\nprocesses: 65") == "bundle.yaml: processes: give 1 to 64");
  CHECK(refusal("command: [a]\nlimits: {turns: 1}") == "bundle.yaml: limits.turns is not a known name here");
  CHECK(refusal("command: [a]\nlimits: {turn: -1}") == "bundle.yaml: limits.turn: give 0.01 to 86400 seconds");
  CHECK(refusal("command: [a]\nenvironment: {X: 1}") == "bundle.yaml: environment.X: give text, in quotes where needed");
  CHECK(refusal("command: [a]\nenvironment: {'A=B': x}") == "bundle.yaml: environment: 'A=B' cannot be a variable's name");
  CHECK(refusal("command: [a").starts_with("bundle.yaml: YAML at line "));
  CHECK(refusal("7").starts_with("bundle.yaml: "));
  CHECK(refusal("").starts_with("bundle.yaml: "));
}

TEST_CASE("the environment: basic names, the manifest's values over them, the host's where it gives them away") {
  child_manifest m{.command = {"x"}, .environment = {{"LANG", "C"}, {"TOKEN", std::nullopt}}};
  CHECK(child_environment(m, "app", "c0ffee", {}).error().message() ==
        "bundle.yaml: environment.TOKEN has no value, and the host gives it none");
  auto e = child_environment(m, "app", "c0ffee", {{"TOKEN", "secret"}, {"OTHER", "hidden"}});
  REQUIRE(e);
  const auto has = [&e](const char *variable) { return std::ranges::find(*e, variable) != e->end(); };
  CHECK(has("TOKEN=secret"));
  CHECK(has("LANG=C"));
  CHECK(has("CORBEL_BUNDLE_ID=app"));
  CHECK(has("CORBEL_BUNDLE_COMMIT=c0ffee"));
  CHECK(has("PYTHONDONTWRITEBYTECODE=1"));
  CHECK(std::ranges::none_of(*e, [](const auto &v) { return v.starts_with("OTHER="); }));
  CHECK(std::ranges::count_if(*e, [](const auto &v) { return v.starts_with("LANG="); }) == 1);
}
