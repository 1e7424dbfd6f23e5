#include "operations/token_guard.hpp"

#include "operations/turn_figures.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace corbel;

TEST_CASE("a secret is the same only as a whole") {
  CHECK(same_secret("abc", "abc"));
  for (auto wrong : {"", "a", "ab", "abd", "abcabc", "abcd"}) CHECK_FALSE(same_secret(wrong, "abc"));
  CHECK_FALSE(same_secret("", ""));
  CHECK_FALSE(same_secret("x", ""));
}

TEST_CASE("401 for no token, 403 for a wrong one") {
  runtime rt({.level = log_level::off});
  token_guard guard(rt, "secret");
  http_request q{.method = "GET", .path = "/", .query = {}, .fields = {}, .body = {}};
  CHECK(guard.refuse(q)->status == 401);
  q.fields = {{"Authorization", "Basic secret"}};
  CHECK(guard.refuse(q)->status == 401);
  q.fields = {{"authorization", "Bearer secre"}};
  CHECK(guard.refuse(q)->status == 403);
  q.fields = {{"Authorization", "Bearer secret"}};
  CHECK_FALSE(guard.refuse(q));
  CHECK_FALSE(token_guard(rt, "").is_on());
}

TEST_CASE("bundles are counted, a bounded number of them") {
  turn_figures turns;
  turns.ended("app", true, std::chrono::seconds(1));
  turns.ended("app", false, std::chrono::seconds(2));
  turns.economics("app", R"({"tokens": 3, "cost_cents": 0.5, "user": "ada", "debt": -1, "not a name": 1})");
  turns.economics("app", R"({"tokens": 4})");
  turns.economics("app", "nonsense");
  CHECK(turns.json() ==
        R"({"app": {"turns": 2, "errors": 1, "seconds": 3.0, "economics": {"cost_cents": 0.5, "tokens": 7}}})");
  for (int i = 0; i < 100; ++i) turns.economics("other", R"({"n)" + std::to_string(i) + R"(": 1})");
  CHECK(std::ranges::count(turns.json(), 'n') == turn_figures::most_economics + 8);  // and of the other names
  for (int i = 0; i < 1000; ++i) turns.ended("b" + std::to_string(i), true, std::chrono::seconds(0));
  detail::metrics_writer to;
  turns.write_metrics(to);
  CHECK(to.all().at(0).points.size() <= turn_figures::most + 1);
}
