// What may stand in a checkout: names, subfolders, and links that stay inside whatever they pass through. A model that walks
// the links step by step is the judge of thousands of random ones.
#include "bundle/path_check.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

using namespace corbel;
using namespace corbel::detail;
using link_map = std::map<std::string, std::string, std::less<>>;

TEST_CASE("subfolders") {
  CHECK(*clean_subdir("") == "");
  CHECK(*clean_subdir("a/b") == "a/b");
  CHECK(*clean_subdir("./a//b/.") == "a/b");
  for (auto bad : {"/a", "..", "a/../..", "a/..", ".git", "a/.GIT/b", ".git. /x", "a\nb"}) {
    CAPTURE(bad);
    CHECK(clean_subdir(bad).error().native() == "SUBDIR");
  }
}

TEST_CASE("paths of a commit") {
  for (auto good : {"a", "a/b.py", "a b/ä", ".gitignore", ".github/x", "git", "a/...", "-x"})
    CHECK_FALSE(check_entry_path(good, 100));
  for (auto bad :
       {"", "/a", "a/", "a//b", ".", "..", "a/../b", ".git", "a/.git/config", ".GiT", ".git ", ".git.", "a\x01"}) {
    CAPTURE(bad);
    CHECK(check_entry_path(bad, 100).native() == "PATH");
  }
  CHECK(check_entry_path(std::string(101, 'a'), 100));
  CHECK(check_entry_path(std::string(256, 'a'), 1000));
}

TEST_CASE("ids") {
  for (auto good : {"app@1-0", "kdcube.admin", "a/b", "Ä"}) CHECK_FALSE(check_bundle_id(good));
  for (auto bad : {"", "-x", ".x", "/x", "a\nb"}) CHECK(check_bundle_id(bad).native() == "ID");
  CHECK(check_bundle_id(std::string(201, 'a')));
}

TEST_CASE("links") {
  auto ok = [](link_map links) { return !check_links(links); };
  CHECK(ok({{"a", "b"}, {"d/e", "../b"}, {"x/y/z", "../../q/r"}}));
  CHECK(ok({{"loop", "loop"}, {"a", "b"}, {"b", "a"}}));
  CHECK_FALSE(ok({{"a", "/etc/passwd"}}));
  CHECK_FALSE(ok({{"a", ".."}}));
  CHECK_FALSE(ok({{"d/a", "../../x"}}));
  CHECK_FALSE(ok({{"a", "b/../../x"}}));
  // Inside as it is written, outside as the system walks it: x leads to the root, so that x/.. is above it.
  CHECK_FALSE(ok({{"a/b/x", "../.."}, {"a/b/y", "x/.."}}));
  CHECK_FALSE(ok({{"one", "two"}, {"two", "three/.."}, {"three", "."}}));
  CHECK_FALSE(ok({{"empty", ""}}));
}

namespace {

/// Walks as the system does. True when the walk leaves the root.
bool leaves(const link_map &links, std::vector<std::string> at, const std::string &target, unsigned &steps) {
  std::vector<std::string> parts(1);
  for (char ch : target)
    if (ch == '/')
      parts.emplace_back();
    else
      parts.back() += ch;
  std::vector<std::string> todo(parts.rbegin(), parts.rend());
  while (!todo.empty() && ++steps < 3000) {
    auto part = todo.back();
    todo.pop_back();
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (at.empty()) return true;
      at.pop_back();
      continue;
    }
    std::string whole;
    for (auto &p : at) whole += p + "/";
    auto link = links.find(whole + part);
    if (link == links.end()) {
      at.push_back(part);
      continue;
    }
    std::string piece;
    std::vector<std::string> inner(1);
    for (char ch : link->second)
      if (ch == '/')
        inner.emplace_back();
      else
        inner.back() += ch;
    todo.insert(todo.end(), inner.rbegin(), inner.rend());
  }
  return false;
}

}  // namespace

TEST_CASE("random links: whoever leaves the root is refused") {
  static const char *names[] = {"a", "b", "a/c", "b/c", "a/c/d"};
  static const char *steps[] = {"a", "b", "c", "..", ".", "d"};
  unsigned refused = 0, taken = 0;
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    std::mt19937 random(seed);
    link_map links;
    for (auto n = 1 + random() % 4; n > 0; --n) {
      std::string target;
      for (auto m = 1 + random() % 4; m > 0; --m) target += (target.empty() ? "" : "/") + std::string(steps[random() % 6]);
      links[names[random() % 5]] = target;
    }
    bool outside = false;
    for (const auto &[path, target] : links) {
      std::vector<std::string> at;
      for (std::size_t from = 0, end; (end = path.find('/', from)) != path.npos; from = end + 1)
        at.push_back(path.substr(from, end - from));
      unsigned count = 0;
      outside = outside || leaves(links, at, target, count);
    }
    const bool is_refused = static_cast<bool>(check_links(links));
    CAPTURE(seed);
    // The system stops following after 40 links, the check after 64: so far all that leave are found.
    if (outside) REQUIRE(is_refused);
    if (!outside) REQUIRE_FALSE(is_refused);
    (is_refused ? refused : taken)++;
  }
  CHECK(refused > 1000);
  CHECK(taken > 1000);
}
