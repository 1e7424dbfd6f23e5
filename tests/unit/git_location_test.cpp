// Where a repository may be, and what is never taken for one. Random texts: always an answer, never the password in it.
#include "git/location.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace corbel;
using namespace corbel::detail;

namespace {

std::string why(std::string_view text) {
  auto r = read_git_location(text);
  CAPTURE(text);
  REQUIRE_FALSE(r);
  CHECK(r.error().is(status::invalid));
  CHECK(r.error().native() == "URL");
  return r.error().message();
}

git_location good(std::string_view text) {
  auto r = read_git_location(text);
  REQUIRE_MESSAGE(r, std::string(text) << ": " << r.error().message());
  return *r;
}

}  // namespace

TEST_CASE("every form of address") {
  auto https = good("https://git.example/team/app.git");
  CHECK(https.transport == git_transport::https);
  CHECK(https.url == "https://git.example/team/app.git");
  CHECK(https.host == "git.example");
  CHECK(https.name == "app");
  CHECK(https.identity == "https://git.example/team/app");
  CHECK(good("HTTP://Git.Example:8080/app").identity == "http://git.example:8080/app");
  CHECK(good("ssh://git@git.example:22/app.git").identity == "ssh://git.example/app");
  CHECK(good("ssh://git@git.example:2222/app").identity == "ssh://git.example:2222/app");
  auto scp = good("deploy@git.example:team/app.git");
  CHECK(scp.transport == git_transport::ssh);
  CHECK(scp.url == "deploy@git.example:team/app.git");
  CHECK(scp.user == "deploy");
  CHECK(scp.host == "git.example");
  CHECK(scp.name == "app");
  CHECK(good("file:///srv/git/app.git").transport == git_transport::file);
  CHECK(good("/srv/git/app.git/").name == "app");
}

TEST_CASE("a password comes out of the URL") {
  auto l = good("https://ada:s%40cret@git.example/app.git");
  CHECK(l.user == "ada");
  CHECK(l.password == "s@cret");
  CHECK(l.url == "https://git.example/app.git");
  CHECK(good("https://git.example/app.git").identity == l.identity);
  CHECK(good("ssh://git:pw@git.example/app").url == "ssh://git@git.example/app");
}

TEST_CASE("what is refused") {
  CHECK(why("").find("empty") != std::string::npos);
  CHECK(why("--upload-pack=touch x").find("control") != std::string::npos);
  CHECK(why("--upload-pack=x").find("option") != std::string::npos);
  CHECK(why("ssh://-oProxyCommand=x/app").find("") != std::string::npos);
  CHECK(why("-x@host:app").find("option") != std::string::npos);
  CHECK(why("host:-x").find("option") != std::string::npos);
  CHECK(why("ext::sh -c x").find("control") != std::string::npos);
  CHECK(why("ext::sh").find("neither") != std::string::npos);
  CHECK(why("git://git.example/app").find("scheme") != std::string::npos);
  CHECK(why("ftp://git.example/app").find("scheme") != std::string::npos);
  CHECK(why("file://host/app").find("host") != std::string::npos);
  CHECK(why("https://git.example").find("path") != std::string::npos);
  CHECK(why("https://git.example/app?x=1").find("query") != std::string::npos);
  CHECK(why("https://ada:p@ss@git.example/app").find("%40") != std::string::npos);
  CHECK(why("https:///app").find("host") != std::string::npos);
  CHECK(why("relative/path").find("absolute") != std::string::npos);
  CHECK(why("/srv/..").find("name") != std::string::npos);
  why("https://git.example/a\nb");
  why(std::string("https://git.example/a\0b", 23));
}

TEST_CASE("no random text is taken for what it is not, and no error holds the password") {
  static const std::string secret = "Zq7Zq7Zq7Zq7";
  static const std::string whole[] = {"https://ada:" + secret + "@git.example:8443/a/b.git", "git@git.example:a/b.git",
                                      "ssh://git:" + secret + "@[::1]:22/a.git", "file:///srv/a.git", "/srv/git/a.git"};
  static const std::string odd = std::string("-:/@.?#[]%~ \t\n\x80") + '\0';
  unsigned taken = 0;
  for (unsigned seed = 0; seed < 100'000; ++seed) {
    std::mt19937 random(seed);
    auto text = whole[random() % std::size(whole)];
    for (auto n = random() % 5; n > 0 && !text.empty(); --n) {
      const auto at = random() % text.size();
      if (random() % 2)
        text[at] = odd[random() % odd.size()];
      else if (random() % 2)
        text.insert(at, 1, odd[random() % odd.size()]);
      else
        text.erase(at, 1 + random() % 4);
    }
    auto r = read_git_location(text);
    CAPTURE(seed);
    if (!r) {
      REQUIRE(r.error().message().find("Zq7") == std::string::npos);
      continue;
    }
    ++taken;
    REQUIRE_FALSE(r->name.empty());
    REQUIRE_FALSE(r->url.starts_with('-'));
    REQUIRE_FALSE(r->host.starts_with('-'));
    REQUIRE(r->url.find('\0') == std::string::npos);
    if (r->transport != git_transport::file) REQUIRE_FALSE(r->host.empty());
    if (r->password.find("Zq7Zq7") != std::string::npos) REQUIRE(r->url.find(r->password) == std::string::npos);
  }
  CHECK(taken > 1000);
}
