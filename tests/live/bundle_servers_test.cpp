/// Real servers: git http-backend behind nginx, with and without password, and sshd; and servers that behave badly.

#include "live/bundle_fixture.hpp"
#include "support/free_port.hpp"
#include "support/raw_server.hpp"
#include "support/resources.hpp"

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

const std::string secret = "Zq7Zq7Zq7Zq7";

struct served : bundle_fixture {
  served() { repo.commit({{"main.py", "one"}}); }
  bundle_source at(std::string url, std::string password = "") {
    return {.id = "app", .url = std::move(url), .user = password.empty() ? "" : "ada", .secret = std::move(password)};
  }
  std::string native(const bundle_source &s) {
    auto r = try_load(s);
    REQUIRE_FALSE(r);
    CHECK(r.error().message().find("Zq7") == std::string::npos);
    return r.error().native();
  }
};

}  // namespace

TEST_CASE_FIXTURE(served, "http: first load, nothing new, a new commit, every kind of ref") {
  git_http_server server(repo.directory().path().string());
  auto first = load(at(server.url()));
  CHECK(content(first.path() + "/main.py") == "one");
  const auto requests = server.requests();
  CHECK(load(at(server.url())).commit() == first.commit());
  CHECK(server.requests() == requests + 1);  // nothing new costs one question
  const auto second = repo.commit({{"main.py", "two"}});
  CHECK(load(at(server.url())).commit() == second);
  auto s = at(server.url());
  s.ref = first.commit();
  const auto before = server.requests();
  CHECK(load(s).commit() == first.commit());
  CHECK(server.requests() == before);  // a commit that is there is asked for nowhere
  s.url = server.url("moved/app.git");
  s.ref = "main";
  CHECK(load(s).commit() == second);
  CHECK(native(at(server.url("none.git"))) == "NOT_FOUND");
}

TEST_CASE_FIXTURE(served,
                  "http with a password: in the source or in the URL; a wrong or missing one is refused, and stays secret") {
  git_http_server server(repo.directory().path().string(), secret);
  CHECK(load(at(server.url(), secret)).id() == "app");
  auto in_url = server.url();
  in_url.insert(7, "ada:" + secret + "@");
  CHECK(load(at(in_url)).id() == "app");
  CHECK(status().url == server.url());
  CHECK(native(at(server.url(), secret + "wrong")) == "AUTH");
  CHECK(native(at(server.url())) == "AUTH");
  // Another host is not told the password.
  CHECK(native(at(server.url("elsewhere/app.git"), secret)) == "AUTH");
  CHECK(log.count("Zq7") == 0);
  CHECK(bundles_json(loader.status()).find("Zq7") == std::string::npos);
  for (const auto &entry : fs::recursive_directory_iterator(root))
    if (entry.is_regular_file()) CHECK(content(entry.path()).find("Zq7") == std::string::npos);
}

TEST_CASE_FIXTURE(served, "ssh: a key that is known, a host that is known, and nobody else") {
  git_ssh_server server;
  bundle_source s{.id = "app", .url = server.url(repo.path()), .ssh_key = server.key(), .known_hosts = server.known_hosts()};
  CHECK(content(load(s).path() + "/main.py") == "one");
  auto unknown_host = s;
  unknown_host.known_hosts = place.write("no_hosts", "");
  CHECK(native(unknown_host) == "CERTIFICATE");
  auto other_host = s;
  other_host.known_hosts = place.write("other_hosts", "");
  std::ofstream(other_host.known_hosts)
      << "[127.0.0.1]:" << server.port()
      << " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
  CHECK(native(other_host) == "CERTIFICATE");
  auto other_key = s;
  other_key.ssh_key = server.stranger_key();
  CHECK(native(other_key) == "AUTH");
  other_key.ssh_key = place.file("none");
  CHECK_FALSE(try_load(other_key));
}

TEST_CASE_FIXTURE(served, "servers that refuse, say nonsense, or close: an error in good time") {
  const auto nobody = "http://127.0.0.1:" + std::to_string(free_port()) + "/app.git";
  CHECK(native(at(nobody)) == "NETWORK");
  raw_server nonsense("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello");
  CHECK_FALSE(try_load(at("http://127.0.0.1:" + std::to_string(nonsense.port()) + "/app.git")));
  raw_server broken(
      "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nContent-Length: 1000\r\n\r\n0000");
  CHECK_FALSE(try_load(at("http://127.0.0.1:" + std::to_string(broken.port()) + "/app.git"), {.timeout = 2s}));
}

TEST_CASE_FIXTURE(served, "servers that say nothing are left at the deadline, with nothing of it left, 200 times") {
  raw_server silent("");
  const auto port = std::to_string(silent.port());
  const std::string urls[] = {"http://127.0.0.1:" + port + "/a.git", "https://127.0.0.1:" + port + "/a.git",
                              "ssh://git@127.0.0.1:" + port + "/a.git"};
  bundles many(rt, {.root = root, .max_running = 16});
  auto ask = [&](const std::string &url) {
    return many.async_load({.id = "app", .url = url, .ssh_key = "/none"}, {.timeout = 200ms}, asio::use_future);
  };
  for (const auto &url : urls) CHECK(now(ask(url)).error().is(status::timeout));
  REQUIRE(until(patience, [&] { return jobs() == 0; }));
  const auto threads_before = threads(), descriptors_before = open_descriptors();
  for (int round = 0; round < 200; ++round) {
    auto r = now(ask(urls[round % 3]));
    REQUIRE_FALSE(r);
    REQUIRE(r.error().is(status::timeout));
  }
  REQUIRE(until(patience, [&] { return jobs() == 0; }));
  // The silent server lives in this process and closes its ends a moment after the killed helper's.
  CHECK(until(patience, [&] { return threads() <= threads_before && open_descriptors() <= descriptors_before; }));
  // The locks are free: what works works at once.
  CHECK(load(source("main", "good")).id() == "good");
}
