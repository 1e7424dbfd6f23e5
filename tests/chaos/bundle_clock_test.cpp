/// The wall clock jumps by hours and years, forward and back, under a process that follows a repository and the program that
/// loads for it: every commit is taken soon, what is current and pinned stays, and the unused ones go as they should.
#include "live/bundle_fixture.hpp"
#include "support/fake_clock.hpp"
#include "support/other_process.hpp"

#include <thread>

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

/// Follows, holds a pin of the first commit, and keeps saying what is current. Arguments: root, url, program, file.
const other_process::role follower("follower", [](const std::vector<std::string> &a) {
  runtime rt;
  bundles loader(rt, {.root = a[0], .program = a[2], .keep = 1, .retry_first = 100ms, .retry_most = 1s});
  auto first = loader.async_load({.id = "app", .url = a[1], .ref = "main", .follow = 100ms}, {}, asio::use_future).get();
  if (!first) return 1;
  for (;;) {
    auto now = loader.pin("app");
    if (!now || !fs::exists(first->path() + "/number")) return 2;
    std::ofstream(a[3] + ".new") << now->commit() << " " << content(now->path() + "/number");
    fs::rename(a[3] + ".new", a[3]);
    std::this_thread::sleep_for(10ms);
  }
});

}  // namespace

TEST_CASE("a clock that jumps under who follows and loads") {
  git_repository repo;
  temp_dir place;
  fake_clock clock;
  const auto first = repo.commit({{"number", "0"}, {"same", "same"}});
  // The program for git gets only what it needs of the environment: the clock comes by a script.
  auto script = place.file("git.sh");
  std::ofstream(script) << "#!/bin/sh\nexport";
  for (const auto &v : clock.variables()) std::ofstream(script, std::ios::app) << " '" << v << "'";
  const auto program = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "corbel-git";
  std::ofstream(script, std::ios::app) << "\nexec " << program.string() << "\n";
  fs::permissions(script, fs::perms(0755));
  const auto state = place.file("state"), root = place.file("root");
  auto process = other_process::start("follower", {root, repo.url(), script, state}, place.file("log"), clock.variables());
  int n = 0;
  for (auto ahead : {0h, 5h, 0h, -5h, 24h * 400, -24h * 400, 0h}) {
    CAPTURE(ahead.count());
    clock.jump(ahead);
    for (int i = 0; i < 2; ++i) {
      const auto number = std::to_string(++n);
      const auto commit = repo.commit({{"number", number}});
      CHECK_MESSAGE(until(patience, [&] { return content(state) == commit + " " + number; }), content(place.file("log")));
    }
  }
  CHECK_FALSE(process.wait_for(0ms));
  std::string repository;
  for (const auto &entry : fs::directory_iterator(root + "/repos")) repository = entry.path();
  CHECK(fs::exists(repository + "/commits/" + first));
  // A clock that was years ahead has not protected for years what it touched.
  const auto there = [&] {
    int all = 0;
    for (const auto &entry : fs::directory_iterator(repository + "/commits"))
      all += entry.path().filename().string().size() == 40;
    return all;
  };
  clock.jump(1h);
  const auto last = repo.commit({{"number", "last"}});
  CHECK(until(patience, [&] { return content(state) == last + " last"; }));
  CHECK_MESSAGE(until(patience, [&] { return there() <= 4; }), there());  // pinned, current, the one before, one unused
}
