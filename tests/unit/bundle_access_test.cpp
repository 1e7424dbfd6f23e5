// Whose credentials a source gets, and over what.
#include "bundle/source_access.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace corbel;
using namespace corbel::detail;

namespace {

bundle_source with(std::string url, const bundle_access &access, bundle_source s = {.id = "", .url = ""}) {
  s.id = "app";
  s.url = std::move(url);
  auto r = complete_source(s, access);
  REQUIRE_MESSAGE(r, r.error().message());
  // What is complete stays as it is.
  CHECK(*complete_source(*r, access) == *r);
  return *r;
}

const bundle_access token{.secret = "geheim"};

}  // namespace

TEST_CASE("with a token, ssh becomes https, unless there is a port or a key of its own") {
  for (auto url : {"git@h.example:team/app.git", "ssh://git@h.example/team/app.git", "git@H.example:/team/app.git",
                   "ssh://git@h.example:22/team/app.git"}) {
    CAPTURE(url);
    const auto s = with(url, token);
    CHECK(s.url == "https://h.example/team/app.git");
    CHECK(s.secret == "geheim");
    CHECK(s.user.empty());
    CHECK(with(url, {}).url.find("https") == std::string::npos);
    CHECK(with(url, token, {.id = "", .url = "", .ssh_key = "/k"}).secret.empty());
  }
  CHECK(with("ssh://git@h.example:2222/team/app.git", token).secret.empty());
  CHECK(with("ssh://git@h.example:2222/team/app.git", token).url == "ssh://git@h.example:2222/team/app.git");
}

TEST_CASE("the token goes over https, to the hosts that may have it, and to no source with credentials of its own") {
  CHECK(with("https://h.example/app", token).secret == "geheim");
  CHECK(with("http://h.example/app", token).secret.empty());
  CHECK(with("file:///app", token).secret.empty());
  CHECK(with("https://ada:own@h.example/app", token).secret == "own");
  CHECK(with("https://ada@h.example/app", token).secret.empty());
  CHECK(with("https://h.example/app", token, {.id = "", .url = "", .secret = "own"}).secret == "own");
  const bundle_access some{.secret = "geheim", .user = "bot", .hosts = {"h.example"}};
  CHECK(with("https://H.example/app", some).user == "bot");
  CHECK(with("https://evil.example/app", some).secret.empty());
  CHECK(with("git@evil.example:app", some).url == "git@evil.example:app");
}

TEST_CASE("keys, known hosts and authorities of the loader are those of sources without") {
  const bundle_access all{.ssh_key = "/k", .known_hosts = "/n", .ca_file = "/c"};
  CHECK(with("git@h:app", all).ssh_key == "/k");
  CHECK(with("git@h:app", all).known_hosts == "/n");
  CHECK(with("git@h:app", all, {.id = "", .url = "", .ssh_key = "/own"}).ssh_key == "/own");
  CHECK(with("https://h/app", all).ca_file == "/c");
  CHECK(with("https://h/app", all).ssh_key.empty());
}

TEST_CASE("the environment's names") {
  const std::map<std::string, std::string> v{{"GIT_HTTP_TOKEN", "t"},      {"GIT_HTTP_USER", "u"},
                                             {"GIT_SSH_KEY_PATH", "/k"},   {"GIT_SSH_KNOWN_HOSTS", "/n"},
                                             {"GIT_HTTP_HOSTS", "A, b,,"}, {"GIT_SSL_CAINFO", "/c"}};
  const auto a = bundle_access_from([&](const std::string &name) -> std::optional<std::string> {
    auto it = v.find(name);
    return it == v.end() ? std::nullopt : std::optional(it->second);
  });
  CHECK(a.secret == "t");
  CHECK(a.user == "u");
  CHECK(a.ssh_key == "/k");
  CHECK(a.known_hosts == "/n");
  CHECK(a.ca_file == "/c");
  CHECK(a.hosts == std::vector<std::string>{"a", "b"});
  CHECK(bundle_access_from([](const std::string &) { return std::nullopt; }).secret.empty());
}
