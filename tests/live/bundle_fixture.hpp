#pragma once
/// A repository, a root and a loader, and its calls as a test wants them: blocking, with a deadline, failing the test.

#include "support/git_repository.hpp"
#include "support/log_lines.hpp"
#include "support/until.hpp"

#include <corbel/bundle.hpp>
#include <corbel/health.hpp>

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <fstream>
#include <future>
#include <iterator>
#include <string>
#include <vector>

namespace corbel::test {

using namespace std::chrono_literals;
inline constexpr std::chrono::seconds patience{120};

/// The result of a future, which must come in time.
template <class T>
T now(std::future<T> f) {
  REQUIRE(f.wait_for(patience) == std::future_status::ready);
  return f.get();
}

inline std::string content(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct bundle_fixture {
  log_lines log;
  runtime rt{{.log = log.collector()}};
  git_repository repo;
  temp_dir place;
  std::string root = place.file("root");
  bundles loader{rt, {.root = root}};

  bundle_source source(std::string ref = "main", std::string id = "app") {
    return {.id = std::move(id), .url = repo.url(), .ref = std::move(ref)};
  }
  result<bundle> try_load(bundle_source s, call c = {}) {
    return now(loader.async_load(std::move(s), c, boost::asio::use_future));
  }
  bundle load(bundle_source s) {
    auto r = try_load(std::move(s));
    REQUIRE_MESSAGE(r, r.error().message());
    return std::move(*r);
  }
  bundle_status status(const std::string &id = "app") {
    for (auto &s : loader.status())
      if (s.id == id) return s;
    FAIL("no such bundle");
    return {};
  }
  /// What the events since the last time say, one a line: "switched app".
  std::string events() {
    auto r = now(loader.async_events(boost::asio::use_future));
    REQUIRE_MESSAGE(r, r.error().message());
    std::string out;
    for (const auto &e : *r) out += std::string(bundle_event_name(e.what)) + " " + e.id + "\n";
    return out;
  }
  /// Programs that run now, as the metrics say.
  int jobs() {
    int n = 0;
    const auto text = rt.metrics_text();
    for (std::size_t at = 0; (at = text.find("\ncorbel_bundle_jobs{", at)) != text.npos; ++at)
      n += std::stoi(text.substr(text.find('}', at) + 1));
    return n;
  }
  std::string repository_folder() {
    for (const auto &entry : std::filesystem::directory_iterator(root + "/repos")) return entry.path();
    return {};
  }
};

}  // namespace corbel::test
