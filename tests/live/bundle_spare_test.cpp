/// The spare folder: what the next commit begins with. Whatever it holds, a commit is what git says.

#include "live/bundle_fixture.hpp"

#include <algorithm>
#include <fcntl.h>
#include <random>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace corbel;
using namespace corbel::test;
namespace fs = std::filesystem;

namespace {

ino_t inode(const fs::path &path) {
  struct stat s;
  REQUIRE(::lstat(path.c_str(), &s) == 0);
  return s.st_ino;
}

struct spare : bundle_fixture {
  /// Loads what is there now, and lets its spare folder be made.
  bundle load_all() {
    auto b = load(source());
    REQUIRE(until(patience, [this] { return jobs() == 0; }));
    return b;
  }
  fs::path folder() { return repository_folder() + "/commits/spare"; }
  /// Names, kinds, modes and contents are those of git, and nothing else is there.
  void check_like_git(const bundle &b) {
    std::vector<std::string> lines;
    std::vector<std::string> hash{"hash-object", "--no-filters"};
    for (const auto &entry : fs::recursive_directory_iterator(b.path())) {
      const auto name = entry.path().lexically_relative(b.path()).string();
      const auto mode = fs::symlink_status(entry.path()).permissions() & fs::perms::all;
      if (fs::is_symlink(entry.path())) {
        CHECK(fs::read_symlink(entry.path()).string() == repo.git({"cat-file", "blob", b.commit() + ":" + name}));
      } else if (fs::is_directory(entry.path())) {
        CHECK(mode == fs::perms(0555));
      } else {
        lines.push_back((mode == fs::perms(0555) ? "100755 " : mode == fs::perms(0444) ? "100644 " : "? ") + name);
        hash.push_back(entry.path());
      }
    }
    std::istringstream ids(repo.git(hash));
    for (auto &line : lines) {
      std::string id;
      ids >> id;
      line += " " + id;
    }
    std::vector<std::string> wanted;
    std::istringstream listed(repo.git({"ls-tree", "-r", b.commit()}));
    for (std::string mode, kind, id, name; listed >> mode >> kind >> id >> name;)
      if (mode != "120000") wanted.push_back(mode + " " + name + " " + id);
    std::ranges::sort(lines);
    std::ranges::sort(wanted);
    CHECK(lines == wanted);
  }
};

}  // namespace

TEST_CASE_FIXTURE(spare, "the next commit takes the folders over that it has in common with the last one") {
  repo.commit_many(100, 100);
  const auto first = load_all();
  const auto kept = inode(folder() / "d7");
  CHECK(kept != inode(first.path() + "/d7"));
  repo.commit({{"d8/f8", "changed"}, {"d9/new", "new"}});
  const auto second = load_all();
  CHECK(inode(second.path() + "/d7") == kept);
  check_like_git(second);
  check_like_git(first);
}

TEST_CASE_FIXTURE(spare, "files that become folders, links and programs, and the other way; folders that go") {
  repo.commit({{"a", "a"}, {"b/c/d", "d"}, {"b/e", "e"}, {"f*", "f"}, {"g", "g"}, {"h/i/j/k", "k"}});
  check_like_git(load_all());
  repo.commit({{"a", {}}, {"a/x", "x"}, {"b/c/d", {}}, {"f*", {}}, {"f", "f"}, {"h/i/j/k", {}}});
  check_like_git(load_all());
  repo.link("a/link", "x");
  repo.link("g", "a/x");
  fs::remove_all(repo.directory().path() / "tree/b");
  repo.commit({{"b", "file"}});
  check_like_git(load_all());
  repo.commit({{"a/link", {}}, {"a/link/deep/er", "file"}, {"b", {}}, {"b/c/d", "d"}, {"f", {}}, {"f*", "f"}});
  check_like_git(load_all());
}

TEST_CASE_FIXTURE(spare, "commits at random") {
  std::mt19937 random(11);
  const auto any = [&](unsigned n) { return std::to_string(random() % n); };
  for (int i = 0; i < 15; ++i) {
    std::map<std::string, std::optional<std::string>> files{{"always", std::to_string(i)}};
    for (int j = 0; j < 6; ++j) {
      const auto name = "d" + any(4) + "/e" + any(3) + "/f" + any(5);
      if (random() % 3 == 0 && fs::exists(repo.directory().path() / "tree" / name))
        files[name] = std::nullopt;
      else
        files[name] = any(3);
    }
    repo.commit(files);
    check_like_git(load_all());
  }
}

TEST_CASE_FIXTURE(spare, "one that somebody has touched is not used") {
  repo.commit_many(20, 100);
  load_all();
  int round = 0;
  const auto next = [&] {
    // Held open, so that no other folder gets its number.
    const int held = ::open((folder() / "d3").c_str(), O_RDONLY | O_CLOEXEC);
    const auto before = inode(folder() / "d3");
    repo.commit({{"number", std::to_string(++round)}});
    const auto b = load_all();
    CHECK(inode(b.path() + "/d3") != before);
    ::close(held);
    check_like_git(b);
  };
  std::ofstream(folder() / "d5/cache") << "left by somebody";
  next();
  fs::remove(folder() / "d5/f5");
  next();
  ::chmod((folder() / "d5/f5").c_str(), 0644);
  next();
  fs::create_directory(folder() / "d5/empty");
  next();
  fs::remove(folder().string() + ".files");
  next();
  std::ofstream(folder().string() + ".files") << "no list";
  next();
}

TEST_CASE_FIXTURE(spare, "it goes when nobody uses the repository") {
  repo.commit({{"a", "1"}});
  { load_all(); }
  CHECK(fs::exists(folder()));
  REQUIRE(now(loader.async_forget("app", {}, boost::asio::use_future)));
  REQUIRE(now(loader.async_prune({}, boost::asio::use_future)));
  CHECK_FALSE(fs::exists(folder()));
}
