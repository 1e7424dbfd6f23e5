/// Bundles that are followed: a push is noticed by itself; a failure is tried again later and later.

#include "live/bundle_fixture.hpp"

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;
namespace fs = std::filesystem;

TEST_CASE_FIXTURE(bundle_fixture, "a push is noticed, an outage too, and its end") {
  bundles quick(rt, {.root = root, .retry_first = 50ms, .retry_most = 200ms});
  const auto first = repo.commit({{"a", "1"}});
  auto s = source();
  s.follow = 50ms;
  auto b = now(quick.async_load(s, {}, asio::use_future));
  REQUIRE_MESSAGE(b, b.error().message());
  CHECK(b->commit() == first);
  const auto second = repo.commit({{"a", "2"}});
  CHECK(until(patience, [&] { return quick.pin("app")->commit() == second; }));
  fs::rename(repo.path(), repo.path() + ".away");
  CHECK(until(patience, [&] { return quick.status()[0].failures >= 2; }));
  CHECK(quick.pin("app")->commit() == second);
  fs::rename(repo.path() + ".away", repo.path());
  CHECK(until(patience, [&] { return quick.status()[0].state == bundle_state::ready; }));
  // Forgotten, it is followed no more.
  CHECK(now(quick.async_forget("app", {}, asio::use_future)));
  const auto text = rt.metrics_text();
  CHECK(quick.status().empty());
  CHECK(text.find("corbel_bundle_looks_total") != std::string::npos);
}

TEST_CASE_FIXTURE(bundle_fixture, "what is not there yet is tried until it is, also when it is not followed") {
  bundles quick(rt, {.root = root, .retry_first = 50ms, .retry_most = 200ms});
  CHECK_FALSE(now(quick.async_load(source(), {}, asio::use_future)));
  CHECK(quick.status()[0].state == bundle_state::absent);
  CHECK(quick.pin("app").error().is(status::unavailable));
  const auto first = repo.commit({{"a", "1"}});
  CHECK(until(patience, [&] { return quick.pin("app").has_value(); }));
  CHECK(quick.pin("app")->commit() == first);
}

TEST_CASE_FIXTURE(bundle_fixture, "the runtime's shutdown ends what is followed and what is waited for") {
  repo.commit({{"a", "1"}});
  auto s = source();
  s.follow = 10ms;
  auto pinned = load(s);
  auto events = loader.async_events(asio::use_future);
  CHECK(now(std::move(events)));
  auto waiting = loader.async_events(asio::use_future);
  CHECK(rt.shutdown(30s));
  while (true) {
    auto r = now(std::move(waiting));
    if (!r) break;
    waiting = loader.async_events(asio::use_future);
  }
  CHECK(try_load(source()).error().is(status::closed));
  CHECK(content(pinned.path() + "/a") == "1");
}
