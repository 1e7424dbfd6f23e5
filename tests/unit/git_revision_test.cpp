// Which commit a ref means.
#include "git/revision.hpp"

#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::detail;

namespace {

const std::string a(40, 'a'), b(40, 'b'), c(40, 'c'), t(40, '7');
const std::vector<git_advertised> advertised = {
    {"HEAD", a, "refs/heads/main"}, {"refs/heads/main", a, ""}, {"refs/heads/feature/x", b, ""},
    {"refs/heads/v1", b, ""},       {"refs/heads/beef", c, ""}, {"refs/tags/v1", t, ""},
    {"refs/tags/v1^{}", c, ""},     {"refs/tags/v2", t, ""},    {"refs/tags/v2^{}", c, ""}};

git_choice chosen(std::string_view ref) {
  auto r = choose_git_ref(advertised, ref);
  REQUIRE_MESSAGE(r, r.error().message());
  return *r;
}

}  // namespace

TEST_CASE("branch before tag, annotated tags by their commit, HEAD for nothing") {
  CHECK(chosen("").name == "refs/heads/main");
  CHECK(chosen("").id == a);
  CHECK(chosen("main").id == a);
  CHECK(chosen("feature/x").name == "refs/heads/feature/x");
  CHECK(chosen("v1").name == "refs/heads/v1");
  CHECK(chosen("refs/tags/v1").id == c);
  CHECK(chosen("v2").name == "refs/tags/v2");
  CHECK(chosen("v2").id == c);
}

TEST_CASE("a commit is what has no name") {
  CHECK(chosen("beef").name == "refs/heads/beef");
  CHECK(chosen(a).is_commit);
  CHECK(chosen("abcdef1").is_commit);
  CHECK_FALSE(choose_git_ref(advertised, "abc"));
  CHECK_FALSE(choose_git_ref(advertised, "nothing"));
  auto none = choose_git_ref({}, "");
  REQUIRE_FALSE(none);
  CHECK(none.error().native() == "NO_REF");
  CHECK(none.error().may_retry());
}

TEST_CASE("what no ref is") {
  for (auto bad : {"-x", "--upload-pack=x", "a..b", "a b", "a~1", "a^",   "a:b", "a?",   "a*",     "a[",       "a\\b",
                   "@",  "a@{1}",           "/a",   "a/",  "a.",  "a//b", ".a",  "a/.b", "a.lock", "a.lock/b", "a\nb"}) {
    CAPTURE(bad);
    auto why = check_git_ref(bad);
    CHECK(why.is(status::invalid));
    CHECK(why.native() == "REF");
  }
  CHECK(check_git_ref(std::string(300, 'a')));
  for (auto good : {"", "main", "feature/a-b_c.d", "v1.2.3", "refs/heads/main", "umlaut-\xc3\xa4"})
    CHECK_FALSE(check_git_ref(good));
}
