/// Handlers of bundles in Python and in the shell: what they answer, and what becomes of those that do not.

#include "live/bundle_runner_fixture.hpp"

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;

TEST_CASE_FIXTURE(runner_fixture, "a Python handler takes turns and operations, tells events, and answers") {
  const auto commit = push(echo_py);
  std::vector<std::string> events;
  auto answer = run(R"({"text": "one\ntwo", "n": [1, 2.5, null]})", &events);
  REQUIRE_MESSAGE(answer, answer.error().message());
  CHECK(answer->result == R"({"kind": "turn", "task": {"text": "one\ntwo", "n": [1, 2.5, null]}})");
  CHECK(answer->commit == commit);
  CHECK(events == std::vector<std::string>{R"({"step": 1})", R"({"step": 2})"});
  auto operation = now(runner.async_run({.bundle = "app", .kind = "operation", .task = "7"}, {}, {}, asio::use_future));
  REQUIRE(operation);
  CHECK(operation->result == R"({"kind": "operation", "task": 7})");
  auto s = status();
  CHECK(s.commit == commit);
  CHECK(s.answered == 2);
  CHECK(s.starts == 1);
  CHECK(s.deaths == 0);
}

TEST_CASE_FIXTURE(runner_fixture, "a shell handler works the same way") {
  push({{"bundle.yaml", "command: [/bin/sh, main.sh]\n"},
        {"main.sh",
         "echo '{\"ready\": true}'\n"
         "while read -r line; do\n"
         "  id=${line#'{\"id\": '}; id=${id%%,*}\n"
         "  echo \"{\\\"id\\\": $id, \\\"event\\\": {\\\"pid\\\": $$}}\"\n"
         "  echo \"{\\\"id\\\": $id, \\\"result\\\": \\\"$CORBEL_BUNDLE_ID\\\"}\"\n"
         "done\n"}});
  std::vector<std::string> events;
  for (int i = 0; i < 3; ++i) CHECK(run("{}", &events).value().result == "\"app\"");
  REQUIRE(events.size() == 3);
  CHECK(events[0] == events[2]);
  CHECK(status().starts == 1);
}

TEST_CASE_FIXTURE(runner_fixture, "so many requests at once as the manifest says, and no more") {
  auto files = echo_py;
  files["bundle.yaml"] = "command: [python3, main.py]\nconcurrency: 3\nprocesses: 2\n";
  push(files);
  std::vector<std::future<result<bundle_answer>>> all;
  for (int i = 0; i < 24; ++i) all.push_back(start(R"({"do": "crowd", "seconds": 0.05})"));
  std::set<std::string> pids;
  int most = 0;
  for (auto &f : all) {
    auto answer = now(std::move(f));
    REQUIRE_MESSAGE(answer, answer.error().message());
    pids.insert(field(answer->result, "pid"));
    most = std::max(most, std::stoi(field(answer->result, "crowd")));
  }
  CHECK(pids.size() == 2);
  CHECK(most <= 3);
  CHECK(most >= 2);
}

TEST_CASE_FIXTURE(runner_fixture,
                  "the environment is what the manifest names; no bytecode is left in the checkout; nobody is root") {
  auto files = echo_py;
  files["bundle.yaml"] = "command: [python3, main.py]\nenvironment: {COLOUR: blue, CORBEL_TEST_VALUE: }\n";
  files["other.py"] = "value = 1\n";
  push(files);
  ::setenv("CORBEL_TEST_SECRET", "hidden", 1);
  ::setenv("CORBEL_TEST_VALUE", "given", 1);
  bundle_runner mine(loader, {.environment = {"CORBEL_TEST_VALUE"}});
  auto answer = now(mine.async_run({.bundle = "app", .task = R"({"do": "look"})"}, {}, {}, asio::use_future));
  REQUIRE_MESSAGE(answer, answer.error().message());
  CHECK(field(answer->result, "COLOUR") == "blue");
  CHECK(field(answer->result, "CORBEL_TEST_VALUE") == "given");
  CHECK(answer->result.find("CORBEL_TEST_SECRET") == std::string::npos);
  CHECK(field(answer->result, "uid") == std::to_string(::geteuid() == 0 ? 65534 : ::geteuid()));
  CHECK(field(answer->result, "groups") == (::geteuid() == 0 ? "65534" : field(answer->result, "groups")));
  CHECK(field(answer->result, "is_leader") == "1");
  CHECK(field(answer->result, "descriptors") == "3");
  const auto path = loader.pin("app")->path();
  for (const auto &entry : std::filesystem::recursive_directory_iterator(path))
    CHECK(entry.path().string().find("__pycache__") == std::string::npos);
  // A name that the host does not give away.
  auto refused = run("{}");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().native() == "MANIFEST");
}

TEST_CASE_FIXTURE(runner_fixture, "what a handler reports of economics is told, whatever becomes of the request") {
  push(echo_py);
  std::string told;
  bundle_runner counting(loader, {.economics = [&](const std::string &bundle, const std::string &economics) {
                           told += bundle + " " + economics + "\n";
                         }});
  auto spent = now(counting.async_run({.bundle = "app", .task = R"({"do": "spend"})"}, {}, {}, boost::asio::use_future));
  REQUIRE_FALSE(spent);
  CHECK(spent.error().message() == "spent");
  CHECK(told == "app {\"tokens\": 3}\napp {\"tokens\": 4}\napp {\"tokens\": 5}\n");
}

TEST_CASE_FIXTURE(runner_fixture, "a handler's own failure is told with its class, and the handler goes on") {
  push(echo_py);
  auto failed = run(R"({"do": "fail"})");
  REQUIRE_FALSE(failed);
  CHECK(failed.error().is(corbel::status::internal));
  CHECK(failed.error().message() == "as asked");
  CHECK(failed.error().native() == "ValueError");
  CHECK(failed.error().may_retry());
  CHECK(run("{}"));
  CHECK(status().starts == 1);
}

TEST_CASE_FIXTURE(runner_fixture, "a wrong request, an unknown bundle, a bundle without a manifest: one clear line each") {
  push({{"main.py", ""}});
  CHECK(run("{}").error().message().find("there is no bundle.yaml to read in its folder") != std::string::npos);
  CHECK(run("{").error().is(corbel::status::invalid));
  auto unknown = now(runner.async_run({.bundle = "other"}, {}, {}, asio::use_future));
  CHECK(unknown.error().is(corbel::status::invalid));
  CHECK(unknown.error().message().find("other") != std::string::npos);
  push({{"bundle.yaml", "command: [no-such-program]\n"}});
  auto missing = run("{}");
  CHECK(missing.error().native() == "START");
  CHECK(missing.error().message().find("cannot start 'no-such-program': No such file or directory") != std::string::npos);
  CHECK(health(rt).because.find("no-such-program") != std::string::npos);
  push(echo_py);
  CHECK(run("{}"));
  CHECK(until(patience, [&] { return health(rt).state == health_state::ok; }));  // what flaps is not believed at once
}
