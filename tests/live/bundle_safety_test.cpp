/// What a repository or a caller may not do: lead outside, be too much, be read as an option.

#include "live/bundle_fixture.hpp"

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

struct limited : bundle_fixture {
  result<bundle> with(const bundles_options &o) {
    bundles l(rt, o);
    return now(l.async_load(source(), {}, asio::use_future));
  }
};

}  // namespace

TEST_CASE_FIXTURE(bundle_fixture, "links that lead outside are refused, also through other links") {
  for (auto [name, target] : {std::pair{"l", "/etc/passwd"}, {"d/l", "../../x"}, {"l", "d/../../x"}}) {
    repo.link(name, target);
    repo.commit({{"d/a", "x"}});
    auto r = try_load(source());
    REQUIRE_FALSE(r);
    CHECK(r.error().native() == "PATH");
    repo.commit({{name, std::nullopt}});
  }
  repo.link("a/b/x", "../..");
  repo.link("a/b/y", "x/..");
  repo.commit({});
  CHECK(try_load(source()).error().native() == "PATH");
  for (const auto &entry : fs::directory_iterator(repository_folder() + "/commits"))
    CHECK_FALSE(fs::is_directory(entry));  // nothing half was left
}

TEST_CASE_FIXTURE(limited, "too many files, too many bytes, too long a path, too much received") {
  repo.commit_many(20, 1000);
  CHECK(with({.root = root, .max_files = 19}).error().native() == "TOO_LARGE");
  CHECK(with({.root = root, .max_bytes = 19'999}).error().native() == "TOO_LARGE");
  CHECK(with({.root = root, .max_path = 4}).error().native() == "PATH");
  CHECK(with({.root = root, .max_bytes = 100}).error().native() == "TOO_LARGE");
  CHECK(with({.root = root, .max_bytes = 20'000, .max_files = 20, .max_path = 7}));
}

TEST_CASE_FIXTURE(bundle_fixture, "names that could be options, and other odd sources, are refused before anything runs") {
  for (auto s : std::vector<bundle_source>{{.id = "a", .url = "--upload-pack=x"},
                                           {.id = "a", .url = "ext::sh"},
                                           {.id = "a", .url = repo.url(), .ref = "--all"},
                                           {.id = "a", .url = repo.url(), .subdir = "../x"},
                                           {.id = "", .url = repo.url()},
                                           {.id = "-a", .url = repo.url()}}) {
    auto r = try_load(s);
    REQUIRE_FALSE(r);
    CHECK(r.error().is(status::invalid));
  }
  CHECK(loader.status().empty());
  CHECK_THROWS_AS(bundles(rt, {.root = "relative"}), failure);
  CHECK_THROWS_AS(bundles(rt, {.root = root, .program = "/no/such/program"}), failure);
}

TEST_CASE_FIXTURE(bundle_fixture, "hooks and filters of a repository and settings of the machine do not run") {
  const auto mark = place.file("ran");
  place.write("home-gitconfig", "[filter \"x\"]\n smudge = touch " + mark + "\n required = true\n");
  repo.commit({{".gitattributes", "* filter=x\n"}, {"a", "1"}});
  fs::create_directories(repo.path() + "/hooks");
  for (auto hook : {"post-upload-pack", "pre-receive", "post-checkout"}) {
    std::ofstream(repo.path() + "/hooks/" + hook) << "#!/bin/sh\ntouch " << mark << "\n";
    fs::permissions(repo.path() + "/hooks/" + hook, fs::perms::owner_all);
  }
  CHECK(content(load(source()).path() + "/a") == "1");
  CHECK_FALSE(fs::exists(mark));
}

TEST_CASE_FIXTURE(bundle_fixture,
                  "a root that cannot be written to, and a full one: an error that says it, and what was there stays") {
  const auto first = repo.commit({{"a", "1"}});
  load(source());
  repo.commit({{"a", "2"}});
  // A file where a folder has to be cannot be written to, whoever we are.
  const auto commits = repository_folder() + "/commits";
  fs::rename(commits, commits + ".away");
  std::ofstream(commits) << "x";
  auto r = try_load(source());
  REQUIRE_FALSE(r);
  CHECK(r.error().source() == "os");
  CHECK(loader.pin("app")->commit() == first);
  fs::remove(commits);
  fs::rename(commits + ".away", commits);
  load(source());
}
