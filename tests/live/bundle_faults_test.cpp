/// What repositories, disks and clocks do: changed history, refs that go, packs that are damaged, disks that are full or
/// read-only, many processes at once.

#include "live/bundle_fixture.hpp"
#include "support/other_process.hpp"
#include "support/tcp_gate.hpp"

#include <fcntl.h>
#include <iostream>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

/// For the work of other processes, which have no test to fail: says what is not as it should be.
int fault(const std::string &what) {
  std::cerr << what << std::endl;
  return 1;
}

/// A mount table of this process's own; where we are nobody special, by being somebody in a world of our own.
bool own_mounts() {
  const auto user = ::getuid();
  if (::unshare(user == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0) return false;
  if (user != 0) std::ofstream("/proc/self/uid_map") << "0 " << user << " 1\n";
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bundle_source at(const std::string &url, const std::string &ref = "main") { return {.id = "app", .url = url, .ref = ref}; }

std::string outcome(const result<bundle> &r) { return r ? r->commit() : r.error().native() + ": " + r.error().message(); }

// url, small folder, root, a ref that fits, one that does not
const other_process::role full("full disk", [](const std::vector<std::string> &a) {
  if (!own_mounts()) return fault("no mount table of one's own");
  if (::mount("tmpfs", a[1].c_str(), "tmpfs", 0, "size=6m") != 0) return fault("no small disk");
  runtime rt;
  bundles l(rt, {.root = a[2]});
  const auto first = now(l.async_load(at(a[0], a[3]), {}, asio::use_future));
  if (!first) return fault("the small one: " + outcome(first));
  for (int i = 0; i < 2; ++i) {
    const auto second = now(l.async_load(at(a[0], a[4]), {}, asio::use_future));
    if (second || second.error().native() != "ENOSPC") return fault("the large one: " + outcome(second));
  }
  if (l.pin("app")->commit() != first->commit() || content(first->path() + "/a") != "1")
    return fault("what was there is gone");
  // There is room again: nothing that the failed ones left stands in the way.
  if (::mount(nullptr, a[1].c_str(), "tmpfs", MS_REMOUNT, "size=64m") != 0) return fault("no larger disk");
  const auto third = now(l.async_load(at(a[0], a[4]), {}, asio::use_future));
  return third ? 0 : fault("with room: " + outcome(third));
});

// url, root, the commit that is there, a ref of another one
const other_process::role read_only("read-only root", [](const std::vector<std::string> &a) {
  if (!own_mounts()) return fault("no mount table of one's own");
  if (::mount(a[1].c_str(), a[1].c_str(), nullptr, MS_BIND, nullptr) != 0 ||
      ::mount(nullptr, a[1].c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0)
    return fault("cannot make it read-only");
  runtime rt;
  bundles l(rt, {.root = a[1], .retry_first = 1h, .retry_most = 1h});
  const auto same = now(l.async_load(at(a[0]), {}, asio::use_future));
  if (outcome(same) != a[2]) return fault("what is there: " + outcome(same));
  const auto other = now(l.async_load(at(a[0], a[3]), {}, asio::use_future));
  if (other || other.error().message().find("ead-only") == std::string::npos) return fault("what is not: " + outcome(other));
  if (l.status()[0].state != bundle_state::stale || l.pin("app")->commit() != a[2]) return fault("it serves no more");
  return 0;
});

// url, root, a file whose being there is the start, the commit
const other_process::role one_of_many("one of many", [](const std::vector<std::string> &a) {
  runtime rt;
  bundles l(rt, {.root = a[1]});
  if (!until(patience, [&] { return fs::exists(a[2]); })) return fault("no start");
  const auto b = now(l.async_load(at(a[0]), {}, asio::use_future));
  if (outcome(b) != a[3]) return fault(outcome(b));
  return content(b->path() + "/d7/f7").size() == 2000 ? 0 : fault("its content");
});

int end_of(child_process child, const std::string &log) {
  const auto status = child.wait_for(patience);
  INFO(content(log));
  REQUIRE(status);
  CHECK(*status == 0);
  return *status;
}

}  // namespace

TEST_CASE_FIXTURE(bundle_fixture, "history that was changed by force is followed; what is pinned stays") {
  const auto base = repo.commit({{"a", "1"}}), old = repo.commit({{"a", "2"}});
  auto pinned = load(source());
  repo.git({"reset", "-q", "--hard", base});
  const auto changed = repo.commit({{"a", "3"}});
  CHECK(load(source()).commit() == changed);
  CHECK(content(loader.pin("app")->path() + "/a") == "3");
  CHECK(pinned.commit() == old);
  CHECK(content(pinned.path() + "/a") == "2");
}

TEST_CASE_FIXTURE(bundle_fixture, "a ref that is deleted upstream leaves the last commit serving, and may come again") {
  repo.commit({{"a", "1"}});
  const auto there = repo.commit({{"a", "of x"}}, "x");
  load(source("x"));
  repo.git({"push", "-q", "origin", "--delete", "x"});
  CHECK(try_load(source("x")).error().native() == "NO_REF");
  CHECK(status().state == bundle_state::stale);
  CHECK(loader.pin("app")->commit() == there);
  const auto again = repo.commit({{"a", "again"}}, "x");
  CHECK(load(source("x")).commit() == again);
  CHECK(status().state == bundle_state::ready);
}

TEST_CASE_FIXTURE(bundle_fixture,
                  "refs and ids that differ by '/' and '-' have each their own, and a branch may become a folder") {
  const auto slash = repo.commit({{"a", "slash"}}, "feature/a"), dash = repo.commit({{"a", "dash"}}, "feature-a");
  auto one = loader.async_load(source("feature/a", "x/y"), {}, asio::use_future);
  auto other = loader.async_load(source("feature-a", "x-y"), {}, asio::use_future);
  CHECK(now(std::move(one))->commit() == slash);
  CHECK(now(std::move(other))->commit() == dash);
  CHECK(content(loader.pin("x/y")->path() + "/a") == "slash");
  CHECK(content(loader.pin("x-y")->path() + "/a") == "dash");
  repo.git({"push", "-q", "origin", "--delete", "feature/a"});
  repo.git({"checkout", "-q", "--detach"});
  repo.git({"branch", "-q", "-D", "feature/a"});
  const auto below = repo.commit({{"a", "below"}}, "feature/a/b");
  CHECK(load(source("feature/a/b", "x/y")).commit() == below);
}

TEST_CASE_FIXTURE(bundle_fixture, "a pack that is damaged on its way, or cut off, is refused; the next fetch is whole") {
  const auto first = repo.commit({{"a", "1"}});
  git_http_server server(repo.directory().path().string());
  tcp_gate gate(server.port());
  const auto url = "http://127.0.0.1:" + std::to_string(gate.port()) + "/app.git";
  CHECK(load(at(url)).commit() == first);
  const auto second = repo.commit_many(200, 2000);
  for (const auto &rubbish : {std::string("PACK\0\0\0\2\0\0\0\1rubbish", 20), std::string("PA"), std::string()}) {
    gate.end_at("PACK", rubbish);
    CHECK_FALSE(try_load(at(url), {.timeout = 20s}));
    CHECK(loader.pin("app")->commit() == first);
  }
  for (std::size_t bytes : {5'000, 50'000}) {
    gate.reset_after(bytes);
    CHECK_FALSE(try_load(at(url), {.timeout = 20s}));
  }
  gate.reset_all();
  auto whole = try_load(at(url));
  for (int i = 0; !whole && i < 3; ++i) whole = try_load(at(url));
  REQUIRE_MESSAGE(whole, whole.error().message());
  CHECK(whole->commit() == second);
}

TEST_CASE_FIXTURE(bundle_fixture, "a repository with a damaged object is refused, and taken when it is mended") {
  const auto first = repo.commit({{"a", "1"}});
  load(source());
  const auto second = repo.commit({{"a", "a text of its own"}});
  const auto id = repo.git({"rev-parse", second + ":a"});
  const auto object = repo.path() + "/objects/" + id.substr(0, 2) + "/" + id.substr(2);
  if (!fs::exists(object)) repo.git({"--git-dir", repo.path(), "unpack-objects"});
  REQUIRE(fs::exists(object));
  const auto good = content(object);
  fs::permissions(object, fs::perms::owner_write, fs::perm_options::add);
  std::ofstream(object, std::ios::binary) << "this is no object";
  CHECK_FALSE(try_load(source(), {.timeout = 30s}));
  CHECK(loader.pin("app")->commit() == first);
  std::ofstream(object, std::ios::binary) << good;
  CHECK(load(source()).commit() == second);
}

TEST_CASE_FIXTURE(bundle_fixture,
                  "a disk that is full: an error that says so, what is there goes on, and then there is room") {
  repo.commit({{"a", "1"}}, "small");
  std::string noise(8'000'000, '\0');
  std::ifstream("/dev/urandom", std::ios::binary).read(noise.data(), static_cast<std::streamsize>(noise.size()));
  repo.commit({{"noise", noise}}, "large");
  // libgit2 fetches all of a repository that is a folder, whatever was asked for.
  git_http_server server(repo.directory().path().string());
  const auto folder = place.file("small"), output = place.file("full.log");
  fs::create_directory(folder);
  end_of(other_process::start("full disk", {server.url(), folder, folder + "/root", "small", "large"}, output), output);
}

TEST_CASE_FIXTURE(bundle_fixture,
                  "a root that is read-only: what is there is served, also to a new process; what is not is refused") {
  const auto commit = repo.commit({{"a", "1"}});
  load(source());
  repo.commit({{"a", "2"}}, "next");
  const auto output = place.file("read-only.log");
  end_of(other_process::start("read-only root", {repo.url(), root, commit, "next"}, output), output);
  load(source("next"));
}

TEST_CASE_FIXTURE(bundle_fixture, "20 processes at once: one fetch, one checkout, and each has its bundle") {
  const auto commit = repo.commit_many(100, 2000);
  git_http_server server(repo.directory().path().string());
  const auto start = place.file("start"), output = place.file("many.log");
  std::vector<child_process> all;
  for (int i = 0; i < 20; ++i)
    all.push_back(other_process::start("one of many", {server.url(), root, start, commit}, output));
  std::ofstream(start) << "now";
  for (auto &child : all) end_of(std::move(child), output);
  CHECK(server.requests("POST /app.git/git-upload-pack") == 1);
  std::size_t commits = 0;
  for (const auto &entry : fs::directory_iterator(repository_folder() + "/commits"))
    commits += entry.path().filename().string().size() == 40;
  CHECK(commits == 1);
}

TEST_CASE_FIXTURE(bundle_fixture, "unused commits go by age and by bytes, whatever jumps the clock makes") {
  bundles by_age(rt, {.root = root, .keep = 100, .keep_for = 30min}),
      by_bytes(rt, {.root = root, .keep = 100, .keep_bytes = 2500});
  std::vector<std::string> commits;
  for (int i = 0; i < 6; ++i) {
    commits.push_back(repo.commit({{"number", std::string(1000, static_cast<char>('a' + i))}}));
    load(source());
  }
  REQUIRE(until(patience, [&] { return jobs() == 0; }));
  const auto lock = [&](int i) {
    return repository_folder() + "/commits/" + commits[static_cast<std::size_t>(i)] + ".lock";
  };
  const auto is_there = [&](int i) {
    return fs::exists(repository_folder() + "/commits/" + commits[static_cast<std::size_t>(i)]);
  };
  const auto ago = [&](int i, auto time) { fs::last_write_time(lock(i), fs::file_time_type::clock::now() - time); };
  ago(0, 24h);
  ago(1, 40min);
  ago(2, 20min);
  ago(3, 10min);
  ago(4, -24h);  // of a time when the clock was ahead
  CHECK(*now(by_age.async_prune({}, asio::use_future)) == 2);
  for (int i = 0; i < 6; ++i) CHECK(is_there(i) == (i >= 2));
  ago(4, 5min);
  CHECK(*now(by_bytes.async_prune({}, asio::use_future)) == 2);
  for (int i = 2; i < 6; ++i) CHECK(is_there(i) == (i >= 4));
  CHECK(loader.pin("app")->commit() == commits[5]);
}
