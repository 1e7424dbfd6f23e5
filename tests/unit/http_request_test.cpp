#include "http/router.hpp"

#include <corbel/http_request.hpp>

#include <doctest/doctest.h>

using namespace corbel;

TEST_CASE("a target is split and decoded") {
  http_request r;
  REQUIRE(r.set_target("/a%20b/c?x=1&y=%26+z&x=2&empty="));
  CHECK(r.path == "/a b/c");
  CHECK(r.parameter("x") == "1");
  CHECK(r.parameter("y") == "& z");
  CHECK(r.parameter("empty").empty());
  CHECK(r.parameter("none").empty());
  REQUIRE(r.set_target("http://host:80/p?q=1"));
  CHECK(r.path == "/p");
  CHECK(r.parameter("q") == "1");
  REQUIRE(r.set_target("http://host"));
  CHECK(r.path == "/");
  for (auto bad : {"", "p", "*", "/%", "/%zz", "/a b", "host:80", "//\x01"}) CHECK_FALSE_MESSAGE(r.set_target(bad), bad);
}

TEST_CASE("fields are found in upper and lower case, parameters before them") {
  http_request r;
  r.fields = {{"User-Session-ID", "f"}, {"user-session-id", "second"}};
  CHECK(r.field("user-SESSION-id") == "f");
  CHECK(r.either("s", "User-Session-ID") == "f");
  r.query = {{"s", "p"}};
  CHECK(r.either("s", "User-Session-ID") == "p");
}

TEST_CASE("routes are found by path and method") {
  http_router routes;
  routes.add("GET", "/a", {});
  routes.add("POST", "/a", {});
  routes.add("POST", "/b", {});
  CHECK(routes.find("GET", "/a").route);
  CHECK(routes.find("HEAD", "/a").route == routes.find("GET", "/a").route);
  CHECK(routes.find("PUT", "/a").allow == "GET, HEAD, POST");
  CHECK_FALSE(routes.find("HEAD", "/b").route);
  CHECK(routes.find("GET", "/b").allow == "POST");
  CHECK(routes.find("GET", "/c").allow.empty());
  CHECK_FALSE(routes.find("GET", "/c").route);
  routes.add("POST", "/below/*", {});
  routes.add("GET", "/below/own", {});
  CHECK(routes.find("POST", "/below/a").route);
  CHECK(routes.find("POST", "/below/a/b").route == routes.find("POST", "/below/a").route);
  CHECK(routes.find("GET", "/below/own").route);
  CHECK(routes.find("GET", "/below/a").allow == "POST");
  for (auto none : {"/below", "/belo", "/", "", "below/a"}) CHECK_FALSE(routes.find("POST", none).route);
}
