/// Repositories on this disk, whose objects are copied as the files that they are.

#include "live/bundle_fixture.hpp"

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

struct local : bundle_fixture {
  bundle load_anew(const std::string &url, const std::string &ref = "main") {
    root = place.file("root" + std::to_string(++roots));
    loader = bundles(rt, {.root = root});
    return load({.id = "app", .url = url, .ref = ref});
  }
  void in_repository(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--git-dir", repo.path()});
    repo.git(arguments);
  }
  std::vector<fs::path> packs() {
    std::vector<fs::path> all;
    for (const auto &file : fs::directory_iterator(repo.path() + "/objects/pack"))
      if (file.path().extension() == ".pack") all.push_back(file.path());
    return all;
  }
  int roots = 0;
};

}  // namespace

TEST_CASE_FIXTURE(local, "loose objects, packs, and both: all is there, and what comes later is fetched") {
  const auto loose = repo.commit({{"a", "1"}, {"d/b", "2"}});
  CHECK(load_anew(repo.url()).commit() == loose);
  in_repository({"gc", "-q"});
  REQUIRE(packs().size() == 1);
  auto b = load_anew(repo.url());
  CHECK(content(b.path() + "/d/b") == "2");
  const auto later = repo.commit({{"a", "3"}});
  CHECK(load({.id = "app", .url = repo.url(), .ref = "main"}).commit() == later);
  b = load_anew(repo.path());
  CHECK(b.commit() == later);
  CHECK(content(b.path() + "/a") == "3");
  CHECK(load({.id = "app", .url = repo.url(), .ref = loose}).commit() == loose);
}

TEST_CASE_FIXTURE(local, "one that borrows its objects from another") {
  const auto commit = repo.commit_many(100, 1000);
  in_repository({"gc", "-q"});
  const auto borrows = place.file("borrows.git");
  repo.git({"clone", "-q", "--bare", "--shared", repo.path(), borrows});
  CHECK(load_anew("file://" + borrows).commit() == commit);
}

TEST_CASE_FIXTURE(local, "a pack that is broken: an error that says so, nothing current, and well again once it is mended") {
  const auto commit = repo.commit_many(50, 1000);
  in_repository({"gc", "-q"});
  const auto pack = packs().at(0);
  const auto whole = content(pack);
  auto broken = whole;
  for (std::size_t i = broken.size() / 3; i < broken.size() / 2; ++i) broken[i] = 'x';
  fs::permissions(pack, fs::perms::owner_write, fs::perm_options::add);
  std::ofstream(pack, std::ios::binary) << broken;
  auto r = try_load(source());
  REQUIRE_FALSE(r);
  CAPTURE(r.error().message());
  CHECK((r.error().native() == "CORRUPT" || r.error().native() == "OBJECT"));
  CHECK_FALSE(loader.pin("app"));
  std::ofstream(pack, std::ios::binary) << whole;
  CHECK(load(source()).commit() == commit);
}
