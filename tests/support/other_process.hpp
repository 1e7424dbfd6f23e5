#pragma once
/// The test's own executable started again as another process, which does a piece of work instead of the tests. One file of
/// a program includes it.
///
///     const other_process::role holder("holder", [](const std::vector<std::string> &arguments) { ... return 0; });
///     auto child = other_process::start("holder", {server.url()}, log);
///
/// Threads: the main one registers; any may start.

#include "support/child_process.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace corbel::test::other_process {

using work = std::function<int(const std::vector<std::string> &)>;

inline std::map<std::string, work> &roles() {
  static std::map<std::string, work> all;
  return all;
}

/// A static object: what a process of that name does. It exits with what the work returns.
struct role {
  role(const std::string &name, work w) { roles()[name] = std::move(w); }
};

inline constexpr const char *variable = "CORBEL_TEST_ROLE";

/// Starts it; arguments without line feeds. Output goes to the file `log`.
inline child_process start(const std::string &name, const std::vector<std::string> &arguments, const std::string &log,
                           std::vector<std::string> variables = {}) {
  auto value = std::string(variable) + "=" + name;
  for (const auto &a : arguments) value += "\n" + a;
  variables.push_back(std::move(value));
  return child_process({"/proc/self/exe"}, log, variables);
}

struct listener : doctest::IReporter {
  explicit listener(const doctest::ContextOptions &) {}
  void test_run_start() override {
    const char *value = std::getenv(variable);
    if (!value) return;
    std::istringstream lines(value);
    std::string name;
    std::getline(lines, name);
    std::vector<std::string> arguments;
    for (std::string line; std::getline(lines, line);) arguments.push_back(line);
    const auto it = roles().find(name);
    ::_exit(it == roles().end() ? 127 : it->second(arguments));
  }
  void report_query(const doctest::QueryData &) override {}
  void test_run_end(const doctest::TestRunStats &) override {}
  void test_case_start(const doctest::TestCaseData &) override {}
  void test_case_reenter(const doctest::TestCaseData &) override {}
  void test_case_end(const doctest::CurrentTestCaseStats &) override {}
  void test_case_exception(const doctest::TestCaseException &) override {}
  void subcase_start(const doctest::SubcaseSignature &) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData &) override {}
  void log_message(const doctest::MessageData &) override {}
  void test_case_skipped(const doctest::TestCaseData &) override {}
};
REGISTER_LISTENER("other process", 1, listener);

}  // namespace corbel::test::other_process
