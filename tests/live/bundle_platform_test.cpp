/// Beside the platform's own processes: what they find on the managed root, as git itself sees it; and their lock in Redis.

#include "live/bundle_fixture.hpp"
#include "support/raw_server.hpp"
#include "support/redis_server.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

struct beside : bundle_fixture {
  bundles loader{rt, {.root = root, .layout = bundle_layout::platform}};
  const std::string folder = root + "/app__my@1__feature-x";
  const std::string locks = root + "/.bundle-locks";

  result<bundle> ask(const std::string &ref = "feature/x") {
    return now(loader.async_load({.id = "my@1", .url = repo.url(), .ref = ref, .subdir = "sub"}, {}, asio::use_future));
  }
  std::string git_there(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"-C", folder});
    return repo.git(arguments);
  }
};

struct locked : bundle_fixture {
  redis_server server;
  redis_pool redis{rt, {.url = server.url()}};
  bundles loader{rt, {.root = root, .lock = {.redis = redis, .tenant = "t", .project = "p", .ttl = 1s}}};
  const std::string key = "kdcube:bundles:git-lock:t:p:shared:app:main";
};

}  // namespace

TEST_CASE_FIXTURE(beside,
                  "the folder has its name, a .git that git takes for its own, and the marker; it is theirs to write") {
  const auto first = repo.commit({{"sub/a", "1"}, {"sub/run*", "x"}}, "feature/x");
  auto b = ask();
  REQUIRE_MESSAGE(b, b.error().message());
  CHECK(b->path().starts_with(root + "/.corbel/repos/"));
  CHECK(content(folder + "/sub/a") == "1");
  CHECK(git_there({"rev-parse", "HEAD"}) == first);
  CHECK(git_there({"status", "--porcelain"}) == "?? .kdcube.git-bundle.json");
  CHECK(git_there({"config", "remote.origin.url"}) == repo.url());
  CHECK(content(folder + "/.kdcube.git-bundle.json").find("\"commit\": \"" + first + "\"") != std::string::npos);
  CHECK(fs::exists(locks + "/my-1__feature-x.lock"));
  // As the platform would go on with it.
  git_there({"fetch", "-q", "--all", "--tags", "--prune", "--force"});
  git_there({"checkout", "-q", "--force", "feature/x"});
  std::ofstream(folder + "/sub/a") << "written to";
  CHECK(content(b->path() + "/a") == "1");

  const auto second = repo.commit({{"sub/a", "2"}}, "feature/x");
  REQUIRE(ask());
  CHECK(git_there({"rev-parse", "HEAD"}) == second);
  CHECK(content(folder + "/sub/a") == "2");
  CHECK(content(b->path() + "/a") == "1");
  // Nothing new: nothing is made anew.
  const auto made = fs::last_write_time(folder + "/.kdcube.git-bundle.json");
  REQUIRE(ask());
  CHECK(fs::last_write_time(folder + "/.kdcube.git-bundle.json") == made);
  fs::remove(folder + "/.kdcube.git-bundle.json");
  REQUIRE(ask());
  CHECK(fs::exists(folder + "/.kdcube.git-bundle.json"));
}

TEST_CASE_FIXTURE(beside, "it waits for who holds their file lock") {
  repo.commit({{"sub/a", "1"}}, "feature/x");
  fs::create_directories(locks);
  const int fd = ::open((locks + "/my-1__feature-x.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  REQUIRE(::flock(fd, LOCK_EX) == 0);
  auto asked =
      loader.async_load({.id = "my@1", .url = repo.url(), .ref = "feature/x", .subdir = "sub"}, {}, asio::use_future);
  CHECK(until(patience, [&] { return fs::exists(root + "/.corbel/repos"); }));
  CHECK(asked.wait_for(300ms) == std::future_status::timeout);
  ::close(fd);
  CHECK(now(std::move(asked)));
  CHECK(fs::exists(folder));
}

TEST_CASE_FIXTURE(locked, "the lock in Redis is held while it works, renewed, and deleted afterwards") {
  repo.commit({{"a", "1"}});
  server.command({"SET", key, "another's", "PX", "1500"});
  auto asked = loader.async_load(source(), {}, asio::use_future);
  CHECK(until(patience, [&] { return jobs() == 1 && loader.status()[0].progress.stage == "waiting"; }));
  CHECK(asked.wait_for(200ms) == std::future_status::timeout);
  CHECK(jobs() == 1);
  CHECK(now(std::move(asked)));
  CHECK(until(patience, [&] { return server.command({"EXISTS", key}).number == 0; }));

  // A server that says nothing keeps the work going for longer than the lock lives.
  raw_server silent("");
  auto slow =
      loader.async_load({.id = "app", .url = "http://127.0.0.1:" + std::to_string(silent.port()) + "/a", .ref = "main"},
                        {.timeout = 3s}, asio::use_future);
  REQUIRE(until(patience, [&] { return server.command({"EXISTS", key}).number == 1; }));
  const auto value = server.command({"GET", key}).text;
  CHECK(value.find("\"bundle_id\": \"app\"") != std::string::npos);
  CHECK(value.find("\"owner_token\"") != std::string::npos);
  const auto until_then = std::chrono::steady_clock::now() + 2s;
  while (std::chrono::steady_clock::now() < until_then) REQUIRE(server.command({"GET", key}).text == value);
  CHECK(now(std::move(slow)).error().is(status::timeout));
  CHECK(until(patience, [&] { return server.command({"EXISTS", key}).number == 0; }));
}

TEST_CASE_FIXTURE(locked,
                  "what is not ours is left alone; a Redis that is away holds nobody up; who waits may be called off") {
  repo.commit({{"a", "1"}});
  server.command({"SET", key, "another's"});
  CHECK(now(loader.async_load(source(), {.timeout = 700ms}, asio::use_future)).error().is(status::timeout));
  REQUIRE(until(patience, [&] { return jobs() == 0; }));
  CHECK(server.command({"GET", key}).text == "another's");
  auto asked = loader.async_load(source(), {.timeout = patience}, asio::use_future);
  REQUIRE(until(patience, [&] { return jobs() == 1; }));
  CHECK(now(loader.async_forget("app", {}, asio::use_future)));
  CHECK_FALSE(now(std::move(asked)));
  server.kill();
  auto b = now(loader.async_load(source(), {}, asio::use_future));
  REQUIRE_MESSAGE(b, b.error().message());
  CHECK(log.count("the work goes on without it", log_level::warning) >= 1);
}
