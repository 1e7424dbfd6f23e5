/// Submodules: only when they are asked for, at the commits that the repository names, and theirs too.

#include "live/bundle_fixture.hpp"

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

struct nested : bundle_fixture {
  git_repository lib, inner;

  nested() {
    inner.commit({{"deep", "1"}});
    lib.commit({{"lib.py", "one"}});
    lib.git({"-c", "protocol.file.allow=always", "submodule", "add", "-q", inner.url(), "in"});
    lib.commit({});
    repo.commit({{"main.py", "main"}});
    repo.git({"-c", "protocol.file.allow=always", "submodule", "add", "-q", lib.url(), "vendor/lib"});
    repo.commit({});
  }
  bundle_source with() {
    auto s = source();
    s.submodules = true;
    return s;
  }
};

}  // namespace

TEST_CASE_FIXTURE(nested, "with them, without them, both at once; a new commit of one comes with the parent's next") {
  auto bare = load(source("main", "bare"));
  CHECK(fs::is_empty(bare.path() + "/vendor/lib"));
  auto whole = load(with());
  CHECK(whole.commit() == bare.commit());
  CHECK(whole.path() != bare.path());
  CHECK(content(whole.path() + "/main.py") == "main");
  CHECK(content(whole.path() + "/vendor/lib/lib.py") == "one");
  CHECK(content(whole.path() + "/vendor/lib/in/deep") == "1");
  CHECK(fs::is_empty(bare.path() + "/vendor/lib"));

  const auto pushed = lib.commit({{"lib.py", "two"}});
  CHECK(load(with()).path() == whole.path());
  repo.git({"-C", "vendor/lib", "-c", "protocol.file.allow=always", "pull", "-q", "origin", "main"});
  const auto next = repo.commit({});
  auto now_whole = load(with());
  CHECK(now_whole.commit() == next);
  CHECK(content(now_whole.path() + "/vendor/lib/lib.py") == "two");
  CHECK(content(whole.path() + "/vendor/lib/lib.py") == "one");
  // A process that starts finds what is current, with them, also while the repositories are out of reach.
  fs::rename(repo.path(), repo.path() + ".away");
  bundles later(rt, {.root = root, .retry_first = 1h, .retry_most = 1h});
  CHECK_FALSE(now(later.async_load(with(), {}, asio::use_future)));
  CHECK(later.pin("app")->path() == now_whole.path());
  CHECK(*now(later.async_prune({}, asio::use_future)) == 0);
  CHECK(content(later.pin("app")->path() + "/vendor/lib/in/deep") == "1");
}

TEST_CASE_FIXTURE(nested, "one that cannot be had, and one that leads elsewhere, are refused, and what was there stays") {
  auto there = load(with());
  fs::rename(lib.path(), lib.path() + ".away");
  lib.git({"commit", "-q", "--allow-empty", "-m", "x"});
  const auto unknown = lib.git({"rev-parse", "HEAD"});
  repo.git({"update-index", "--cacheinfo", "160000," + unknown + ",vendor/lib"});
  repo.git({"commit", "-q", "-m", "x"});
  repo.git({"push", "-q", "origin", "HEAD:refs/heads/main"});
  auto r = try_load(with());
  REQUIRE_FALSE(r);
  CHECK(r.error().message().find("vendor/lib") != std::string::npos);
  CHECK(loader.pin("app")->path() == there.path());
  repo.git({"rm", "-q", "-f", "--cached", ".gitmodules"});
  repo.git({"commit", "-q", "-m", "x"});
  repo.git({"push", "-q", "origin", "HEAD:refs/heads/main"});
  CHECK(try_load(with()).error().native() == "SUBMODULE");
  load(source("main", "bare"));
}
