// A network that delays, slices, drops, half-closes and resets; a server that is full; a COPY that is cut.
#include "support/pg_crowd.hpp"
#include "support/resources.hpp"
#include "support/tcp_gate.hpp"

using namespace corbel;
using namespace corbel::test;

namespace {
constexpr auto &future = boost::asio::use_future;
struct gated {
  postgres_server server;
  tcp_gate gate{server.port()};
  runtime rt;
  std::string url = "postgresql://postgres@127.0.0.1:" + std::to_string(gate.port()) + "/postgres";
  gated() { server.ask("CREATE TABLE crowd (caller int, call int)"); }
  pg_options options(std::uint32_t size = 4) {
    return {.conninfo = url, .max_size = size, .connect_timeout = 1s, .idle_check = 100ms, .cancel_timeout = 500ms};
  }
};
}  // namespace

TEST_CASE_FIXTURE(gated, "slices of one byte") {
  pg_pool pool(rt, options());
  gate.slice(1);
  pg_crowd crowd(pool, 20);
  CHECK(until(60s, [&] { return crowd.ok() > 300; }));
  gate.slice(0);
  auto r = crowd.stop();
  check_rows(r, server);
  CHECK(r.ok == r.calls);
}

TEST_CASE_FIXTURE(gated, "the session ends between a statement's result and its sync: lost, and not run again") {
  using namespace std::string_literals;
  pg_pool pool(rt, options(1));
  REQUIRE(ask(pool, "INSERT INTO crowd VALUES (1, 1)"));
  const auto ready = "Z\0\0\0\5I"s;
  const auto fields = "SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"s;
  gate.end_at(ready, "E\0\0\0"s + static_cast<char>(fields.size() + 4) + fields);
  auto r = ask(pool, "INSERT INTO crowd VALUES (1, 2)");
  REQUIRE_FALSE(r);
  CHECK(r.error().is(status::lost));
  CHECK(r.error().may_be_applied());
  CHECK(r.error().message().find("administrator command") != std::string::npos);
  REQUIRE(ask(pool, "INSERT INTO crowd VALUES (1, 3)"));
  CHECK(server.value("SELECT string_agg(call::text, ' ' ORDER BY call) FROM crowd") == "1 2 3");
}

TEST_CASE_FIXTURE(gated, "half a second later") {
  pg_pool pool(rt, options());
  REQUIRE(ask(pool, "SELECT 1"));
  gate.set_delay(500ms);
  pg_crowd crowd(pool, 50);
  CHECK(until(60s, [&] { return crowd.ok() > 200; }));
  gate.set_delay(0ms);
  auto r = crowd.stop();
  check_rows(r, server);
  CHECK(r.ok == r.calls);
}

TEST_CASE_FIXTURE(gated, "resets and half-closes: at most what was under way is lost, and it goes on") {
  pg_pool pool(rt, options());
  pg_crowd crowd(pool, 100);
  for (int round = 0; round < 10; ++round) {
    const auto before = crowd.ok();
    REQUIRE(until(pg_patience, [&] { return crowd.ok() > before + 300; }));
    if (round % 2 == 0)
      gate.reset_all();
    else
      gate.half_close();
  }
  const auto before = crowd.ok();
  REQUIRE(until(pg_patience, [&] { return crowd.ok() > before + 300; }));
  auto r = crowd.stop();
  check_rows(r, server);
  CHECK(r.calls - r.ok <= 100 * 10);
  CHECK(until(pg_patience, [&] { return pool.stats().leased == 0 && pool.stats().unanswered == 0; }));
}

TEST_CASE_FIXTURE(gated, "a network that swallows: calls end at their deadline, and the pool recovers") {
  pg_pool pool(rt, options());
  pg_crowd crowd(pool, 20, {.timeout = 700ms});
  REQUIRE(until(pg_patience, [&] { return crowd.ok() > 100; }));
  gate.black_hole(true);
  auto e = ask(pool, "SELECT 1", {.timeout = 500ms}).error();
  CHECK((e.is(status::timeout) || e.is(status::busy) || e.is(status::unavailable)));
  // Connections that answer nothing are given up and replaced once the network is back.
  CHECK(until(pg_patience, [&] { return pool.stats().cancels > 0; }));
  gate.reset_all();
  gate.black_hole(false);
  const auto before = crowd.ok();
  CHECK(until(pg_patience, [&] { return crowd.ok() > before + 100; }));
  check_rows(crowd.stop(), server);
}

TEST_CASE_FIXTURE(gated, "a COPY cut in the middle leaves no row") {
  pg_pool pool(rt, options());
  auto lease = take(pool).value();
  auto copy = got(lease.async_copy_in("COPY crowd FROM STDIN", {}, future)).value();
  std::string lines;
  for (int i = 0; i < 50000; ++i) lines += std::to_string(i) + "\t1\n";
  REQUIRE(got(copy.async_write(lines, {}, future)));
  gate.reset_all();
  auto end = got(copy.async_finish({}, future));
  CHECK_FALSE(end);
  CHECK(until(pg_patience, [&] { return server.clients("query LIKE 'COPY%'") == 0; }));
  CHECK(server.value("SELECT count(*) FROM crowd") == "0");
  lease.release();
  CHECK(text(ask(pool, "SELECT 1")) == "1");
}

TEST_CASE("a server out of connections says 53300, and is asked again") {
  postgres_server server({.settings = {"superuser_reserved_connections = 2"}, .max_connections = 6});
  server.ask("CREATE USER ada");
  runtime rt;
  const auto url = "postgresql://ada@127.0.0.1:" + std::to_string(server.port()) + "/postgres";
  std::optional<pg_pool> first(std::in_place, rt, pg_options{.conninfo = url, .min_size = 4, .max_size = 4});
  REQUIRE(until(pg_patience, [&] { return first->stats().open == 4 || first->stats().connect_failures > 0; }));
  std::optional<pg_lease> held[4];
  std::size_t leases = 0;
  for (auto &l : held)
    if (auto r = take(*first, {.timeout = 300ms}); r) l = std::move(*r), ++leases;
  REQUIRE(leases >= 3);
  pg_pool second(rt, {.conninfo = url, .kind = "second", .max_size = 4});
  auto e = ask(second, "SELECT 1", {.timeout = 300ms}).error();
  INFO(said(e));
  CHECK(e.native() == "53300");
  CHECK(e.may_retry());
  auto later = second.async_query(pg_statement("SELECT 1"), {.timeout = 20s}, future);
  for (auto &l : held) l.reset();
  first.reset();
  CHECK(text(got(std::move(later))) == "1");
}
