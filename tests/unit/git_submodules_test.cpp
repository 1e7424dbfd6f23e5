// What .gitmodules says, and where it may lead.
#include "git/submodules.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace corbel;
using namespace corbel::detail;

namespace {

git_location at(const char *url) { return read_git_location(url).value(); }

std::string leads(const char *parent, std::string_view url) {
  auto where = submodule_location(at(parent), url);
  return where ? where->url : where.error().message();
}

}  // namespace

TEST_CASE("sections, comments and quotes") {
  const auto all = read_gitmodules(R"(
# ours
[submodule "lib one"]
	path = vendor/lib one ; a comment
	url = "../lib#1.git" # another
	branch = main
[submodule "other"]
path=other
url=https://h.example/o.git
[submodule "no url"]
	path = none
[core]
	url = https://h.example/none.git
)");
  REQUIRE(all.size() == 2);
  CHECK(all.at("vendor/lib one") == "../lib#1.git");
  CHECK(all.at("other") == "https://h.example/o.git");
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string text = "[submodule \"a\"]\n path = a\\\"\n url = \"b\n";
    for (int n = 0; n < 5; ++n) text[random() % text.size()] = "[]=\\\"\n# \0x"[random() % 10];
    read_gitmodules(text);
  }
}

TEST_CASE("relative ones begin at the parent, and none leads out of the net into this machine") {
  CHECK(leads("https://h.example/team/app.git", "../lib.git") == "https://h.example/team/lib.git");
  CHECK(leads("https://h.example/team/app.git", "./lib.git") == "https://h.example/team/app.git/lib.git");
  CHECK(leads("https://h.example/team/app.git/", "../../other/lib") == "https://h.example/other/lib");
  CHECK(leads("git@h.example:team/app.git", "../lib.git") == "git@h.example:team/lib.git");
  CHECK(leads("git@h.example:app.git", "../lib.git") == "git@h.example:lib.git");
  CHECK(leads("/srv/git/app.git", "../lib.git") == "/srv/git/lib.git");
  CHECK(leads("https://h.example/app", "git@other.example:lib") == "git@other.example:lib");
  CHECK(leads("https://h.example/app", "/etc").find("this machine") != std::string::npos);
  CHECK(leads("https://h.example/app", "file:///etc").find("this machine") != std::string::npos);
  for (auto odd : {"../../../../..", "--upload-pack=x", "", "..", "ext::sh", "../../../-x"}) {
    CAPTURE(odd);
    CHECK_FALSE(submodule_location(at("https://h.example/app"), odd));
  }
}
