// The lines between the library and corbel-git: what goes in comes out, and anything else is refused.
#include "bundle/job.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace corbel;
using namespace corbel::detail;

namespace {

job_request request() {
  job_request r;
  r.root = "/r";
  r.url = "https://h.example/a.git";
  r.ref = "feature/\"x\"";
  r.access = {"ada", "Zq7\nsecret", "/key", "/known", "/ca"};
  r.bundles = {{"a", "s/t", true}, {"b", "", false}};
  r.most_bytes = 1ull << 40;
  r.most_files = 7;
  r.most_path = 8;
  r.retention = {2, std::chrono::seconds(3), 4, std::chrono::seconds(5)};
  r.held = "c0ffee";
  return r;
}

job_message message() {
  job_message m{.what = job_message::kind::done, .id = "a", .commit = std::string(40, 'c'), .folder = "/f", .subdir = "s"};
  m.stage = "writing";
  m.objects = 1;
  m.of_objects = 2;
  m.bytes = 3;
  m.files = 4;
  m.linked = 5;
  m.repaired = 6;
  m.fetched = m.built = true;
  m.bundles = {{"a", true, {}}, {"b", false, error(status::refused, "no\nfolder", "bundle", "SUBDIR", error::retriable)}};
  m.why = error(status::timeout, "late", "git", "X", error::fatal);
  m.removed = {"r/c"};
  return m;
}

}  // namespace

TEST_CASE("a request there and back") {
  const auto line = write_job(request());
  CHECK(line.find('\n') == line.npos);
  auto r = read_job_request(line);
  REQUIRE(r);
  CHECK(write_job(*r) == line);
  CHECK(r->access == request().access);
  CHECK(r->bundles[0].adopt);
  CHECK(r->most_bytes == 1ull << 40);
  CHECK(r->retention.age == std::chrono::seconds(3));
}

TEST_CASE("a message there and back") {
  const auto line = write_job(message());
  CHECK(line.find('\n') == line.npos);
  auto m = read_job_message(line);
  REQUIRE(m);
  CHECK(write_job(*m) == line);
  CHECK(m->bundles[1].why.is(status::refused));
  CHECK(m->bundles[1].why.may_retry());
  CHECK(m->why.native() == "X");
  CHECK(m->commit == std::string(40, 'c'));
}

TEST_CASE("damaged lines are refused, and say nothing secret") {
  const std::string whole[] = {write_job(request()), write_job(message())};
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    std::mt19937 random(seed);
    auto line = whole[random() % 2];
    for (auto n = 1 + random() % 4; n > 0; --n)
      random() % 2 ? void(line[random() % line.size()] = static_cast<char>(random()))
                   : void(line.erase(random() % line.size(), random() % 9));
    for (const auto &e : {read_job_request(line).error(), read_job_message(line).error()}) {
      if (!e) continue;
      REQUIRE(e.is(status::protocol));
      REQUIRE(e.message().find("Zq7") == std::string::npos);
    }
  }
  CHECK_FALSE(read_job_request("{}"));
  CHECK_FALSE(read_job_message(R"({"kind": "other"})"));
}
