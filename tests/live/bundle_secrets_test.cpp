/// Credentials: they open https, come from settings or the environment, and are seen nowhere.

#include "live/bundle_fixture.hpp"
#include "support/child_process.hpp"
#include "support/raw_server.hpp"

#include <unistd.h>

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

const std::string secret = "Zq7Kp3Wx9Tb5";

/// How many running programs of that name show the text in their arguments or environment; and how many there are.
std::pair<int, int> shows(const std::string &program, const std::string &text) {
  int showing = 0, running = 0;
  std::error_code ec;
  for (const auto &entry : fs::directory_iterator("/proc", ec)) {
    if (entry.path().filename().string().find_first_not_of("0123456789") != std::string::npos) continue;
    const auto name = content(entry.path() / "comm");
    if (!program.empty() && name != program + "\n") continue;
    ++running;
    for (auto file : {"cmdline", "environ"}) showing += content(entry.path() / file).find(text) != std::string::npos;
  }
  return {showing, running};
}

struct secrets : bundle_fixture {
  secrets() { repo.commit({{"main.py", "one"}}); }
  void nothing_shows() {
    CHECK(log.count(secret) == 0);
    CHECK(bundles_json(loader.status()).find(secret) == std::string::npos);
    CHECK(rt.metrics_text().find(secret) == std::string::npos);
    std::error_code ec;
    for (const auto &entry : fs::recursive_directory_iterator(root, ec))
      if (entry.is_regular_file()) CHECK(content(entry.path()).find(secret) == std::string::npos);
    CHECK(shows("", secret).first == 0);
  }
};

}  // namespace

TEST_CASE_FIXTURE(secrets, "https: a certificate of a known authority and the right name, or nothing") {
  git_http_server server(repo.directory().path().string(), "", true);
  bundle_source s{.id = "app", .url = server.url(), .ca_file = server.ca()};
  CHECK(content(load(s).path() + "/main.py") == "one");
  auto unknown = s;
  unknown.ca_file.clear();
  CHECK(try_load(unknown).error().native() == "CERTIFICATE");
  auto other_name = s;
  other_name.url.replace(other_name.url.find("localhost"), 9, "127.0.0.1");
  CHECK(try_load(other_name).error().native() == "CERTIFICATE");
  CHECK(content(load(s).path() + "/main.py") == "one");
}

TEST_CASE_FIXTURE(secrets, "a token of the loader's settings opens https, and no other host gets it") {
  git_http_server server(repo.directory().path().string(), secret, true), plain(repo.directory().path().string(), secret);
  const auto with = [&](bundle_access access) {
    access.ca_file = server.ca();
    return bundles(rt, {.root = root, .access = std::move(access)});
  };
  const auto ask = [&](bundles &from, const std::string &url) {
    return now(from.async_load({.id = "app", .url = url}, {}, asio::use_future));
  };
  auto all = with({.secret = secret}), elsewhere = with({.secret = secret, .hosts = {"git.example"}}),
       wrong = with({.secret = secret + "x"});
  CHECK(ask(all, server.url()));
  CHECK(ask(all, plain.url()).error().native() == "AUTH");  // it does not go over http
  CHECK(ask(elsewhere, server.url()).error().native() == "AUTH");
  auto refused = ask(wrong, server.url());
  CHECK(refused.error().native() == "AUTH");
  CHECK(refused.error().message().find(secret) == std::string::npos);
  nothing_shows();
}

TEST_CASE_FIXTURE(secrets, "while corbel-git waits for a server, its arguments and its environment hold no secret") {
  raw_server silent("");
  const auto url = "https://127.0.0.1:" + std::to_string(silent.port()) + "/a.git";
  ::setenv("GIT_HTTP_TOKEN", "Zq7ofTheEnvironment", 1);
  const auto access = bundle_access_from([](const std::string &name) -> std::optional<std::string> {
    const char *value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  });
  CHECK(access.secret == "Zq7ofTheEnvironment");
  bundles of_environment(rt, {.root = root, .access = access});
  auto first = loader.async_load({.id = "a", .url = url, .secret = secret}, {.timeout = 20s}, asio::use_future);
  auto second = of_environment.async_load({.id = "b", .url = url}, {.timeout = 20s}, asio::use_future);
  REQUIRE(until(patience, [] { return shows("corbel-git", secret).second >= 2; }));
  nothing_shows();
  CHECK(shows("corbel-git", access.secret).first == 0);
  // Asked in vain would be asked for nothing: what is looked for is found where it is.
  CHECK(shows("corbel-git", "corbel-git").first >= 2);
  ::unsetenv("GIT_HTTP_TOKEN");
  CHECK(now(loader.async_forget("a", {}, asio::use_future)));
  CHECK(now(of_environment.async_forget("b", {}, asio::use_future)));
  CHECK_FALSE(now(std::move(first)));
  CHECK_FALSE(now(std::move(second)));
}

TEST_CASE_FIXTURE(secrets, "ssh by an agent, which has the key; without one nobody is let in") {
  git_ssh_server server;
  const auto socket = place.file("agent");
  child_process agent({"ssh-agent", "-D", "-a", socket}, place.file("agent.log"));
  REQUIRE(until(patience, [&] { return fs::exists(socket); }));
  child_process add({"ssh-add", "-q", server.key()}, place.file("add.log"), {"SSH_AUTH_SOCK=" + socket});
  REQUIRE(add.wait_for(30s) == 0);
  bundle_source s{.id = "app", .url = server.url(repo.path()), .known_hosts = server.known_hosts()};
  ::unsetenv("SSH_AUTH_SOCK");
  CHECK_FALSE(try_load(s));
  ::setenv("SSH_AUTH_SOCK", socket.c_str(), 1);
  bundles with_agent(rt, {.root = root});  // the environment is that of when it was opened
  auto b = now(with_agent.async_load(s, {}, asio::use_future));
  REQUIRE_MESSAGE(b, b.error().message());
  CHECK(content(b->path() + "/main.py") == "one");
  ::unsetenv("SSH_AUTH_SOCK");
  agent.stop();
}
