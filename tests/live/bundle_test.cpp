/// Bundles out of a repository on this disk: every kind of ref, pins, switches, restarts.

#include "live/bundle_fixture.hpp"

#include <sys/stat.h>

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;
namespace fs = std::filesystem;

TEST_CASE_FIXTURE(bundle_fixture, "branch, tag, commit, begin of a commit, nothing: each is the right one") {
  const auto first = repo.commit({{"main.py", "one"}});
  repo.tag("v1", true);
  repo.tag("light", false);
  const auto second = repo.commit({{"main.py", "two"}});
  const auto other = repo.commit({{"main.py", "other"}}, "feature/a");
  const auto third = repo.commit({{"main.py", "dash"}}, "feature-a");
  CHECK(load(source("main")).commit() == second);
  CHECK(load(source("v1", "by-tag")).commit() == first);
  CHECK(load(source("light", "by-light-tag")).commit() == first);
  CHECK(load(source(first, "by-commit")).commit() == first);
  CHECK(load(source(first.substr(0, 8), "by-begin")).commit() == first);
  CHECK(load(source("", "by-default")).commit() == second);
  CHECK(load(source("refs/heads/main", "by-name")).commit() == second);
  auto slash = load(source("feature/a", "slash")), dash = load(source("feature-a", "dash"));
  CHECK(slash.commit() == other);
  CHECK(dash.commit() == third);
  CHECK(content(slash.path() + "/main.py") == "other");
  CHECK(content(dash.path() + "/main.py") == "dash");
  CHECK(try_load(source("nothing", "none")).error().native() == "NO_REF");
  CHECK(loader.status().size() == 10);
  CHECK(bundles_json(loader.status()).find("\"state\": \"absent\"") != std::string::npos);
  REQUIRE(loader.failures().size() == 1);
  CHECK(loader.failures()[0].first == "none");
}

TEST_CASE_FIXTURE(bundle_fixture, "a commit's folder is whole, read-only, and has no git in it") {
  repo.link("here/link", "../app/main.py");
  const auto id = repo.commit({{"app/main.py", "print(1)"},
                               {"app/run*", "#!/bin/sh\n"},
                               {"empty", ""},
                               {".gitattributes", "* text eol=crlf\n"},
                               {"lines", "a\nb\n"}});
  auto s = source();
  s.subdir = "./app/";
  auto b = load(s);
  CHECK(b.commit() == id);
  CHECK(b.id() == "app");
  CHECK(b.path() == b.folder() + "/app");
  CHECK(content(b.path() + "/main.py") == "print(1)");
  CHECK(content(b.folder() + "/lines") == "a\nb\n");
  CHECK(fs::read_symlink(b.folder() + "/here/link") == "../app/main.py");
  CHECK(fs::exists(b.folder() + "/empty"));
  CHECK_FALSE(fs::exists(b.folder() + "/.git"));
  struct stat file, program, folder;
  REQUIRE(::stat((b.path() + "/main.py").c_str(), &file) == 0);
  REQUIRE(::stat((b.path() + "/run").c_str(), &program) == 0);
  REQUIRE(::stat(b.path().c_str(), &folder) == 0);
  CHECK((file.st_mode & 0777) == 0444);
  CHECK((program.st_mode & 0777) == 0555);
  CHECK((folder.st_mode & 0777) == 0555);
  for (const auto &entry : fs::directory_iterator(root + "/bundles"))
    CHECK(fs::canonical(entry.path() / "current") == fs::canonical(b.path()));
}

TEST_CASE_FIXTURE(bundle_fixture,
                  "a new commit is switched to; who has pinned the old one keeps it; unchanged files are shared") {
  const auto first = repo.commit({{"same", "same"}, {"changed", "one"}});
  auto old = load(source());
  CHECK(events() == "fetched app\nswitched app\n");
  CHECK(load(source()).commit() == first);
  const auto second = repo.commit({{"changed", "two"}});
  auto fresh = load(source());
  CHECK(fresh.commit() == second);
  CHECK(events() == "fetched app\nswitched app\n");
  CHECK(content(old.path() + "/changed") == "one");
  CHECK(content(fresh.path() + "/changed") == "two");
  struct stat a, b;
  REQUIRE(::stat((old.path() + "/same").c_str(), &a) == 0);
  REQUIRE(::stat((fresh.path() + "/same").c_str(), &b) == 0);
  CHECK(a.st_ino == b.st_ino);
  auto current = loader.pin("app");
  REQUIRE(current);
  CHECK(current->commit() == second);
  CHECK(loader.pin("unknown").error().is(status::invalid));
  // Changed history is followed like any other.
  repo.git({"reset", "-q", "--hard", first});
  const auto third = repo.commit({{"changed", "three"}});
  CHECK(load(source()).commit() == third);
}

TEST_CASE_FIXTURE(bundle_fixture,
                  "what fails leaves the last good commit serving, and health says so until it is good again") {
  const auto first = repo.commit({{"main.py", "one"}});
  load(source("main"));
  CHECK(health(rt).parts[0].state == health_state::ok);
  fs::rename(repo.path(), repo.path() + ".away");
  auto failed = try_load(source());
  REQUIRE_FALSE(failed);
  CHECK(failed.error().native() == "NOT_FOUND");
  CHECK(status().state == bundle_state::stale);
  CHECK(status().failures == 1);
  CHECK(loader.pin("app")->commit() == first);
  CHECK(health(rt).parts[0].state == health_state::degraded);
  CHECK(health(rt).parts[0].reason.find("app is stale") != std::string::npos);
  fs::rename(repo.path() + ".away", repo.path());
  load(source());
  CHECK(status().state == bundle_state::ready);
  CHECK(health(rt).parts[0].state == health_state::ok);
  // A ref that is deleted upstream.
  repo.git({"push", "-q", "origin", ":refs/heads/main"});
  CHECK(try_load(source()).error().native() == "NO_REF");
  CHECK(loader.pin("app")->commit() == first);
}

TEST_CASE_FIXTURE(bundle_fixture, "a process that starts has what was current, also while the repository is out of reach") {
  const auto first = repo.commit({{"app/main.py", "one"}});
  auto s = source();
  s.subdir = "app";
  load(s);
  fs::rename(repo.path(), repo.path() + ".away");
  bundles next(rt, {.root = root});
  auto failed = now(next.async_load(s, {}, asio::use_future));
  CHECK_FALSE(failed);
  auto kept = next.pin("app");
  REQUIRE(kept);
  CHECK(kept->commit() == first);
  CHECK(content(kept->path() + "/main.py") == "one");
  CHECK(next.status()[0].state == bundle_state::stale);
}

TEST_CASE_FIXTURE(bundle_fixture, "a commit without the subfolder is refused, and the bundle stays where it was") {
  repo.commit({{"app/main.py", "one"}});
  auto s = source();
  s.subdir = "app";
  auto before = load(s).commit();
  repo.commit({{"app/main.py", std::nullopt}, {"other", "x"}});
  auto r = try_load(s);
  REQUIRE_FALSE(r);
  CHECK(r.error().native() == "SUBDIR");
  CHECK(loader.pin("app")->commit() == before);
}

TEST_CASE_FIXTURE(bundle_fixture,
                  "a file that somebody wrote to is made anew when a process takes the commit, and reported") {
  repo.commit({{"a", "first"}, {"dir/b", "second"}});
  auto held = load(source());
  const auto path = held.path() + "/dir/b";
  ::chmod(path.c_str(), 0644);
  std::ofstream(path) << "written";
  bundles next(rt, {.root = root});
  auto again = now(next.async_load(source(), {}, asio::use_future));
  REQUIRE_MESSAGE(again, again.error().message());
  CHECK(content(path) == "second");
  auto told = now(next.async_events(asio::use_future));
  REQUIRE(told);
  CHECK(told->front().what == bundle_event_kind::repaired);
  CHECK(told->front().files == 1);
  // Nor does the next commit share what was written to.
  ::chmod((held.path() + "/a").c_str(), 0644);
  std::ofstream(held.path() + "/a") << "written";
  repo.commit({{"c", "third"}});
  auto fresh = load(source());
  CHECK(content(fresh.path() + "/a") == "first");
}

TEST_CASE_FIXTURE(bundle_fixture, "what is asked at once for one ref is fetched once, by all loaders of the root") {
  repo.commit_many(200, 1000);
  std::vector<bundles> loaders;
  for (int i = 0; i < 5; ++i) loaders.emplace_back(rt, bundles_options{.root = root});
  std::vector<std::future<result<bundle>>> all;
  for (auto &l : loaders)
    for (int i = 0; i < 4; ++i) all.push_back(l.async_load(source("main", "app" + std::to_string(i)), {}, asio::use_future));
  for (auto &f : all) {
    auto r = now(std::move(f));
    REQUIRE_MESSAGE(r, r.error().message());
    CHECK(content(r->path() + "/d0/f0").size() == 1000);
  }
  std::size_t fetched = 0;
  for (auto &l : loaders) {
    auto told = now(l.async_events(asio::use_future));
    for (const auto &e : *told) fetched += e.what == bundle_event_kind::fetched && e.id == "app0";
  }
  CHECK(fetched == 1);
}

TEST_CASE_FIXTURE(bundle_fixture, "forgotten: no more there, but for who has it pinned; pruning removes what nobody uses") {
  repo.commit({{"a", "1"}});
  auto held = load(source());
  CHECK(now(loader.async_forget("app", {}, asio::use_future)));
  CHECK(loader.pin("app").error().is(status::invalid));
  CHECK(fs::is_empty(root + "/bundles"));
  auto pruned = now(loader.async_prune({}, asio::use_future));
  REQUIRE(pruned);
  CHECK(*pruned == 0);
  CHECK(content(held.path() + "/a") == "1");
}

TEST_CASE_FIXTURE(bundle_fixture, "of what is unused only the last are kept; what is pinned or current stays") {
  bundles other(rt, {.root = root, .keep = 1});
  std::vector<std::string> commits;
  std::vector<bundle> pins;
  for (int i = 0; i < 6; ++i) {
    commits.push_back(repo.commit({{"same", "same"}, {"number", std::to_string(i)}}));
    auto r = now(other.async_load(source(), {}, asio::use_future));
    REQUIRE_MESSAGE(r, r.error().message());
    if (i == 1) pins.push_back(std::move(*r));
  }
  REQUIRE(until(patience, [&] { return jobs() == 0; }));
  const auto folder = repository_folder() + "/commits/";
  // As if they had been made an hour ago, one a minute.
  for (std::size_t i = 0; i < commits.size(); ++i)
    fs::last_write_time(folder + commits[i] + ".lock", fs::file_time_type::clock::now() - 1h + i * 1min);
  auto pruned = now(other.async_prune({}, asio::use_future));
  REQUIRE_MESSAGE(pruned, pruned.error().message());
  CHECK(*pruned == 3);
  for (std::size_t i = 0; i < commits.size(); ++i) {
    CAPTURE(i);
    const bool stays = i == 1 || i == 4 || i == 5;  // pinned; the last unused; current
    CHECK(fs::exists(folder + commits[i]) == stays);
    CHECK(fs::exists(folder + commits[i] + ".lock") == stays);
    CHECK(fs::exists(folder + commits[i] + ".files") == stays);
  }
  CHECK(content(pins[0].path() + "/same") == "same");
  std::size_t shared = 0;
  for (const auto &file : fs::recursive_directory_iterator(repository_folder() + "/files")) shared += file.is_regular_file();
  CHECK(shared == 4);  // "same", and a number of each that stays
}

TEST_CASE_FIXTURE(bundle_fixture,
                  "a deadline, a cancel and the end of the loader end a load once, and leave nothing running") {
  repo.commit({{"a", "1"}});
  CHECK(try_load(source(), {.timeout = 1ms}).error().is(status::timeout));
  std::future<result<bundle>> left;
  {
    bundles gone(rt, {.root = root});
    left = gone.async_load(source(), {}, asio::use_future);
  }
  auto r = now(std::move(left));
  if (!r) CHECK(r.error().is(status::closed));
  load(source());
}

TEST_CASE_FIXTURE(bundle_fixture, "what killed processes left of a commit is found and removed by the next load") {
  repo.commit({{"a", "1"}});
  load(source());
  const auto commits = repository_folder() + "/commits/";
  const std::string gone(40, '7'), used = loader.pin("app")->commit();
  fs::create_directory(commits + "." + gone + ".new");
  fs::create_directory(commits + "." + gone + ".old");
  for (const auto &name : {"." + gone + ".files.new", gone + ".files", gone + ".lock"}) std::ofstream(commits + name) << "x";
  repo.commit({{"a", "2"}});
  load(source());
  REQUIRE(until(patience, [&] { return jobs() == 0; }));
  for (const auto &entry : fs::directory_iterator(commits)) {
    CAPTURE(entry.path().filename().string());
    CHECK_FALSE(entry.path().filename().string().starts_with('.'));
    CHECK_FALSE(entry.path().filename().string().starts_with(gone));
  }
  CHECK(fs::exists(commits + used + ".files"));
}
