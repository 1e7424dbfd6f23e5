// corbel-git is killed at any moment of a fetch, a checkout, a switch or a removal: what is under the root is whole each
// time, and the next load does what this one could not.
#include "live/bundle_fixture.hpp"
#include "support/children.hpp"
#include "support/resources.hpp"

#include <csignal>
#include <random>
#include <set>

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

std::vector<pid_t> helpers() { return children("corbel-git"); }

/// Everything that has its name is whole: each commit's folder against git's own word for it. known: those found whole
/// before, which nothing changes any more.
void check_whole(git_repository &repo, const std::string &root, std::set<std::string> &known) {
  REQUIRE(until(patience, [] { return helpers().empty(); }));
  if (!fs::exists(root + "/repos")) return;
  for (const auto &repository : fs::directory_iterator(root + "/repos")) {
    if (!fs::exists(repository.path() / "commits")) continue;
    for (const auto &commit : fs::directory_iterator(repository.path() / "commits")) {
      const auto id = commit.path().filename().string();
      if (id.size() != 40 || !known.insert(id).second) continue;
      std::size_t files = 0;
      for (const auto &file : fs::recursive_directory_iterator(commit.path())) files += file.is_regular_file();
      const auto listed = repo.git({"ls-tree", "-r", "--name-only", id});
      REQUIRE(files == static_cast<std::size_t>(std::count(listed.begin(), listed.end(), '\n')) + 1);
      const auto spot = listed.substr(0, listed.find('\n'));
      REQUIRE(repo.git({"hash-object", (commit.path() / spot).string()}) == repo.git({"rev-parse", id + ":" + spot}));
    }
  }
  if (!fs::exists(root + "/bundles")) return;
  for (const auto &bundle : fs::directory_iterator(root + "/bundles"))
    if (fs::is_symlink(bundle.path() / "current")) REQUIRE(fs::is_directory(bundle.path() / "current"));
}

}  // namespace

TEST_CASE_FIXTURE(bundle_fixture, "killed 200 times at any moment") {
  std::mt19937 random(7);
  const unsigned wanted = sanitized() ? 20 : 200;
  repo.commit_many(300, 4000);
  bundles l(rt, {.root = root, .keep = 1, .retry_first = 1h, .retry_most = 1h});
  unsigned killed = 0, done = 0;
  std::set<std::string> known;
  std::chrono::microseconds window = 100ms;
  std::string last;
  for (unsigned round = 0; killed < wanted; ++round) {
    if (round % 2 == 0)
      last = repo.commit(
          {{"d" + std::to_string(random() % 50) + "/f" + std::to_string(random() % 300), std::to_string(round)}});
    // Now and then from nothing.
    if (round % 20 == 19) {
      fs::remove_all(repository_folder() + "/git");
    }
    auto asked = l.async_load(source(), {.timeout = patience}, asio::use_future);
    std::vector<pid_t> there;
    REQUIRE(until(patience, [&] {
      there = helpers();
      return !there.empty() || asked.wait_for(0s) == std::future_status::ready;
    }));
    std::this_thread::sleep_for(window * (random() % 1000) / 1000);
    const bool works = jobs() > 0;
    for (auto pid : helpers())
      if (::kill(pid, SIGKILL) == 0 && works) ++killed;
    const auto r = now(std::move(asked));
    done += r.has_value();
    // However quick the machine is: about as many are killed as come to their end.
    window = r ? window * 4 / 5 : window * 6 / 5;
    if (r) REQUIRE(r->commit() == last);
    check_whole(repo, root, known);
  }
  CHECK(done > wanted / 10);
  REQUIRE(now(l.async_load(source(), {}, asio::use_future)));
  CHECK(l.pin("app")->commit() == last);
  known.clear();
  check_whole(repo, root, known);
  REQUIRE(now(l.async_prune({}, asio::use_future)));
  // What the killed ones had begun is gone.
  for (const auto &entry : fs::directory_iterator(repository_folder() + "/commits"))
    CHECK_FALSE(entry.path().filename().string().starts_with('.'));
}
