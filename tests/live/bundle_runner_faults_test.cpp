/// Handlers that die, hang, say nonsense or too much: what they had in hand fails once, with a clear line; and nothing that
/// they have started is left.

#include "bundle/runner_core.hpp"
#include "live/bundle_runner_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;

namespace {

bool is_alive(const std::string &pid) {
  // Init may be slow to wait for what it was given.
  const auto stat = content("/proc/" + pid + "/stat");
  return !stat.empty() && stat.find(") Z ") == stat.npos;
}

std::vector<std::string> pids_of(const std::string &json) {
  auto document = json_document::parse(json);
  REQUIRE(document);
  const auto top = document->root().object().value();
  std::vector<std::string> out{std::to_string(top.integer("self").value())};
  const auto pids = top.array("pids").value();
  for (const auto &pid : pids) out.push_back(std::to_string(pid.integer().value()));
  return out;
}

bool all_gone(const std::vector<std::string> &pids) {
  return until(std::chrono::seconds(20), [&] { return std::ranges::none_of(pids, is_alive); });
}

}  // namespace

TEST_CASE_FIXTURE(runner_fixture,
                  "each fault fails what is in hand once, with its own error, and the next request is served") {
  push(echo_py);
  struct fault {
    const char *task, *native, *text;
  };
  const fault faults[] = {
      {R"({"do": "exit"})", "DIED", "exit status 3, last on standard error: going down"},
      {R"({"do": "exit", "status": 0})", "DIED", "exit status 0"},
      {R"({"do": "signal", "signal": 9})", "DIED", "signal 9"},
      {R"({"do": "half"})", "DIED", "in the middle of a line, 14 bytes"},
      {R"({"do": "nonsense"})", "LINE", "the handler wrote \"hello\" on standard output"},
      {R"({"do": "stranger"})", "LINE", "which it does not have"},
      {R"({"do": "long"})", "OUTPUT", "a line of more than 65536 bytes"},
      {R"({"do": "flood"})", "OUTPUT", "more than 200000 bytes for one request"},
  };
  for (const auto &f : faults) {
    CAPTURE(f.task);
    REQUIRE(run("{}"));
    auto failed = run(f.task);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().native() == f.native);
    CHECK_MESSAGE(failed.error().message().find(f.text) != std::string::npos, failed.error().message());
    CHECK(failed.error().may_be_applied());
  }
  CHECK(run("{}"));
  CHECK(status().deaths == std::size(faults));
  CHECK(status().failed == std::size(faults));
}

TEST_CASE_FIXTURE(runner_fixture,
                  "what the manifest allows of memory, processor time, open files and tasks is all there is") {
  auto files = echo_py;
#ifdef __SANITIZE_ADDRESS__
  const bool memory = false;  // AddressSanitizer's own is more than any limit that a handler would have
#else
  const bool memory = true;
#endif
  files["bundle.yaml"] = std::string("command: [python3, main.py]\nlimits: {start: 60, cpu: 2, files: 60, tasks: 5000") +
                         (memory ? ", memory: 1000000000}\n" : "}\n");
  push(files);
  auto limits = run(R"({"do": "limits", "names": "AS CPU NOFILE NPROC CORE"})");
  REQUIRE_MESSAGE(limits, limits.error().message());
  if (memory) CHECK(field(limits->result, "AS") == "1000000000");
  CHECK(field(limits->result, "CPU") == "2");
  CHECK(field(limits->result, "NOFILE") == "60");
  CHECK(field(limits->result, "NPROC") == "5000");
  CHECK(field(limits->result, "CORE") == "0");
  CHECK(field(run(R"({"do": "allocate", "bytes": 100000000})")->result, "error") == "");
  if (memory) CHECK(field(run(R"({"do": "allocate", "bytes": 2000000000})")->result, "error") == "MemoryError");
  auto spun = run(R"({"do": "spin"})");
  REQUIRE_FALSE(spun);
  CHECK(spun.error().native() == "DIED");
  CHECK(run("{}"));
}

TEST_CASE_FIXTURE(runner_fixture, "all that a handler has in hand fails when it dies, each once") {
  auto files = echo_py;
  files["bundle.yaml"] = "command: [python3, main.py]\nconcurrency: 8\n";
  push(files);
  REQUIRE(run("{}"));
  std::vector<std::future<result<bundle_answer>>> all;
  for (int i = 0; i < 5; ++i) all.push_back(start(R"({"do": "hang"})"));
  REQUIRE(until(20s, [&] { return status().in_hand == 5; }));
  all.push_back(start(R"({"do": "exit"})"));
  for (auto &f : all) CHECK(now(std::move(f)).error().native() == "DIED");
  CHECK(status().failed == 6);
}

TEST_CASE_FIXTURE(runner_fixture,
                  "a request past its time, or cancelled, ends at once; a handler that does not let go is ended") {
  auto files = echo_py;
  files["bundle.yaml"] = "command: [python3, main.py]\nlimits: {turn: 0.3, stop: 0.3}\n";
  push(files);
  REQUIRE(run("{}"));
  CHECK(run(R"({"do": "hang"})").error().native() == "TURN");
  CHECK(run("{}"));  // by the next process
  CHECK(status().deaths == 1);
  CHECK(run(R"({"do": "hang"})", nullptr, {.timeout = 20ms}).error().is(corbel::status::timeout));
  asio::cancellation_signal signal;
  std::promise<result<bundle_answer>> ended;
  runner.async_run({.bundle = "app", .task = R"({"do": "hang"})"}, {}, {},
                   asio::bind_cancellation_slot(signal.slot(), [&](result<bundle_answer> r) { ended.set_value(r); }));
  asio::post(runner.core()->executor(), [&] { signal.emit(asio::cancellation_type::terminal); });
  CHECK(now(ended.get_future()).error().is(corbel::status::cancelled));
}

TEST_CASE_FIXTURE(runner_fixture, "one that never says that it is ready, or whose manifest is wrong, is told clearly") {
  push({{"bundle.yaml", "command: [sleep, '60']\nlimits: {start: 0.2}\n"}});
  CHECK(run("{}").error().message().find("did not say that it is ready within 200 ms") != std::string::npos);
  push({{"bundle.yaml", "command: [sleep, '60']\nlimits: {start: 0}\n"}});
  CHECK(run("{}").error().message() == "bundle.yaml: limits.start: give 0.01 to 86400 seconds");
  push({{"bundle.yaml", "comand: [sleep]\n"}});
  CHECK(run("{}").error().message() == "bundle.yaml: comand is not a known name here");
}

TEST_CASE_FIXTURE(runner_fixture,
                  "what a handler has started ends with it, also what has left its group; so it is at the runner's end") {
  push(echo_py);
  auto first = run(R"({"do": "child"})");
  REQUIRE_MESSAGE(first, first.error().message());
  const auto pids = pids_of(first->result);
  for (const auto &pid : pids) REQUIRE(is_alive(pid));
  CHECK_FALSE(run(R"({"do": "exit"})"));
  CHECK(all_gone(pids));
  auto second = run(R"({"do": "child"})");
  REQUIRE(second);
  auto hangs = start(R"({"do": "hang"})");
  runner = bundle_runner(loader, {});
  CHECK(now(std::move(hangs)).error().is(corbel::status::closed));
  CHECK(all_gone(pids_of(second->result)));
}

TEST_CASE_FIXTURE(runner_fixture, "kill -9 of the host leaves nothing of its handlers") {
  push(echo_py);
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const pid_t other = ::fork();
  if (other == 0) {
    corbel::runtime mine;
    bundles again(mine, {.root = root});
    (void)again.async_load(source(), {}, asio::use_future).get();
    bundle_runner own(again, {});
    auto answer = own.async_run({.bundle = "app", .task = R"({"do": "child"})"}, {}, {}, asio::use_future).get();
    const std::string text = (answer ? answer->result : answer.error().message()) + "\n";
    if (::write(pipe[1], text.data(), text.size()) < 0) ::_exit(1);
    for (;;) ::pause();
  }
  ::close(pipe[1]);
  std::string said;
  for (char c; ::read(pipe[0], &c, 1) == 1 && c != '\n';) said += c;
  const auto pids = pids_of(said);
  for (const auto &pid : pids) CHECK(is_alive(pid));
  ::kill(other, SIGKILL);
  ::waitpid(other, nullptr, 0);
  CHECK(all_gone(pids));
  ::close(pipe[0]);
}

TEST_CASE_FIXTURE(runner_fixture, "a runtime's shutdown lets requests end, and stops the handlers") {
  push(echo_py);
  auto child = run(R"({"do": "child"})");
  REQUIRE(child);
  auto last = start(R"({"do": "crowd", "seconds": 0.3})");
  REQUIRE(until(20s, [&] { return status().in_hand == 1; }));
  CHECK(rt.shutdown(20s));
  CHECK(now(std::move(last)));
  CHECK(all_gone(pids_of(child->result)));
}
