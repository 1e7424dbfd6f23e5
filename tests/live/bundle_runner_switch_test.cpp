/// Another commit while requests flow: new ones go to the new one's handler, running ones end on the old, none fails.

#include "live/bundle_runner_fixture.hpp"

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;

TEST_CASE_FIXTURE(runner_fixture,
                  "twenty switches under load: no failure, no request on an older commit after a newer one") {
  auto files = echo_py;
  files["bundle.yaml"] = "command: [python3, main.py]\nconcurrency: 4\n";
  push(files);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> failures{0}, answers{0}, backward{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([&] {
      int last = 0;
      while (!stop) {
        auto r = runner.async_run({.bundle = "app", .task = R"({"do": "version"})"}, {}, {}, asio::use_future).get();
        if (!r) {
          ++failures;
          continue;
        }
        const int version = std::stoi(r->result.substr(r->result.find(": \"") + 3));
        if (version < last) ++backward;
        last = version;
        ++answers;
      }
    });
  std::string commit;
  for (int version = 2; version <= 21; ++version) {
    commit = push({{"version.txt", std::to_string(version)}});
    CHECK(until(60s, [&] { return status().commit == commit; }));
  }
  CHECK(until(60s, [&] { return status().handlers == 1; }));
  stop = true;
  for (auto &c : callers) c.join();
  CHECK(failures == 0);
  CHECK(backward == 0);
  CHECK(answers > 20);
  CHECK(status().deaths == 0);
  CHECK(status().starts == 21);
  // The old commits are pinned no more: the retention of three may remove them.
  CHECK(now(loader.async_prune({}, asio::use_future)));
  CHECK(field(run(R"({"do": "version"})").value().result, "version") == "21");
}

TEST_CASE_FIXTURE(runner_fixture, "what runs ends on the old commit, while new requests go to the new one") {
  auto files = echo_py;
  files["bundle.yaml"] = "command: [python3, main.py]\nconcurrency: 4\n";
  const auto first = push(files);
  REQUIRE(run("{}"));
  auto slow = start(R"({"do": "crowd", "seconds": 2})");
  REQUIRE(until(20s, [&] { return status().in_hand == 1; }));
  const auto second = push({{"version.txt", "2"}});
  REQUIRE(until(20s, [&] { return status().commit == second; }));
  auto quick = run(R"({"do": "version"})");
  CHECK(quick.value().commit == second);
  CHECK(status().handlers == 2);
  CHECK(now(std::move(slow)).value().commit == first);
  CHECK(until(20s, [&] { return status().handlers == 1; }));
  CHECK(status().deaths == 0);
}

TEST_CASE_FIXTURE(runner_fixture,
                  "a commit whose handler does not start leaves the one before serving, and health says so") {
  const auto first = push(echo_py);
  REQUIRE(run("{}"));
  push({{"main.py", "raise SystemExit('broken')"}});
  REQUIRE(until(20s, [&] { return !status().error.empty(); }));
  CHECK(run("{}").value().commit == first);
  CHECK(health(rt).state == health_state::degraded);
  CHECK(health(rt).because.find("broken") != std::string::npos);
  push({{"bundle.yaml", "command: 7\n"}});
  REQUIRE(until(20s, [&] { return status().error.find("bundle.yaml: command") != std::string::npos; }));
  CHECK(run("{}").value().commit == first);
  const auto good = push(echo_py);
  REQUIRE(until(20s, [&] { return status().commit == good; }));
  CHECK(status().error.empty());
  CHECK(now(loader.async_forget("app", {}, asio::use_future)));
  CHECK(until(20s, [&] { return runner.status().empty(); }));
}

TEST_CASE_FIXTURE(runner_fixture, "a bundle that is forgotten and loaded again while it works ends what it has") {
  push(echo_py);
  REQUIRE(run("{}"));
  auto slow = start(R"({"do": "crowd", "seconds": 1})");
  REQUIRE(until(20s, [&] { return status().in_hand == 1; }));
  CHECK(now(loader.async_forget("app", {}, asio::use_future)));
  CHECK(run("{}").error().is(corbel::status::invalid));
  load(source());
  CHECK(run("{}"));
  CHECK(now(std::move(slow)));
  CHECK(until(20s, [&] { return status().handlers == 1; }));
}
