// Passwords that are wrong, become right, and are taken away.
#include "support/callers.hpp"
#include "support/log_lines.hpp"
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"
#include "support/subscription_reader.hpp"
#include "support/until.hpp"

#include <corbel/redis_monitor.hpp>

#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::test;

TEST_CASE("a wrong password: FATAL, without the password, without a storm, and right as soon as the server agrees") {
  redis_server server({.password = "first-secret"});
  log_lines lines;
  runtime rt({.level = log_level::debug, .log = lines.collector()});
  redis_pool pool(rt, {.url = "redis://:second-secret@127.0.0.1:" + std::to_string(server.port())});
  redis_monitor monitor(pool);
  redis_subscription sub(pool);
  for (int i = 0; i < 3; ++i) {
    auto e = ask(pool, redis_command("INCR", "n"), {.timeout = 300ms}).error();
    INFO(said(e));
    CHECK(e.native() == "WRONGPASS");
    CHECK((e.flags() & error::fatal) != 0);
    CHECK_FALSE(e.may_retry());
    CHECK_FALSE(e.may_be_applied());
    CHECK(e.message().find("secret") == std::string::npos);
  }
  CHECK(take(pool, {.timeout = 300ms}).error().native() == "WRONGPASS");
  CHECK(subscribe(sub, "a", {.timeout = 300ms}).error().native() == "WRONGPASS");
  REQUIRE(
      until(patience, [&] { return monitor.state() == redis_state::down || monitor.state() == redis_state::reconnecting; }));
  CHECK(monitor.last().epoch == 0);
  CHECK(std::stoi(server.info("total_connections_received")) < 300);

  server.command({"CONFIG", "SET", "requirepass", "second-secret"});
  CHECK(until(patience, [&] { return text(ask(pool, redis_command("PING"), {.timeout = 1s})) == "PONG"; }));
  CHECK(until(patience, [&] { return subscribe(sub, "a", {.timeout = 1s}).has_value(); }));
  CHECK(until(patience, [&] { return monitor.state() == redis_state::up; }));
  CHECK(server.command({"GET", "n"}).nil);
  CHECK_FALSE(rt.shutdown(5s).error());
  CHECK(lines.count("secret") == 0);
  CHECK(lines.count("") > 0);
}

TEST_CASE("a user that is deleted while the pool works, and made again") {
  redis_server server({.append_only = true, .acl = {"user default off", "user ada on >pw ~* &* +@all"}});
  runtime rt;
  redis_pool pool(rt, {.url = "redis://ada:pw@127.0.0.1:" + std::to_string(server.port())});
  redis_monitor monitor(pool);
  redis_subscription made(pool);
  subscribe(made, "channel").value();
  subscription_reader reader(std::move(made));
  callers crowd(pool, 200, 20, {.timeout = 500ms});
  for (int round = 0; round < 3; ++round) {
    auto ok = crowd.ok();
    REQUIRE(until(patience, [&] { return crowd.ok() > ok + 2000; }));
    server.command({"ACL", "DELUSER", "ada"});  // ends its connections
    REQUIRE(until(patience, [&] { return server.clients().empty() && pool.stats().open == 0; }));
    auto e = ask(pool, redis_command("PING"), {.timeout = 300ms}).error();
    INFO(said(e));
    CHECK(e.native() == "WRONGPASS");
    CHECK((e.flags() & error::fatal) != 0);
    CHECK(monitor.state() != redis_state::up);
    server.command({"ACL", "SETUSER", "ada", "on", ">pw", "~*", "&*", "+@all"});
    REQUIRE(until(patience, [&] { return monitor.state() == redis_state::up; }));
    auto mark = "round " + std::to_string(round);
    REQUIRE(until(patience, [&] { return server.command({"PUBLISH", "channel", mark}).number == 1; }));
    REQUIRE(reader.wait_for_payload(mark));
  }
  REQUIRE(crowd.stop(patience));
  auto r = crowd.report();
  CHECK(r.completed == r.calls);
  CHECK(r.again == 0);
  CHECK(r.wrong == 0);
  CHECK(r.uncounted == 0);
}

TEST_CASE("rights that are taken away: NOPERM, on a connection that stays") {
  redis_server server({.acl = {"user default off", "user ada on >pw ~* &* +@all"}});
  runtime rt;
  redis_pool pool(rt, {.url = "redis://ada:pw@127.0.0.1:" + std::to_string(server.port())});
  CHECK(text(ask(pool, redis_command("SET", "a", "1"))) == "OK");
  server.command({"ACL", "SETUSER", "ada", "-set"});
  auto e = ask(pool, redis_command("SET", "a", "2")).error();
  CHECK(e.is(status::refused));
  CHECK(e.native() == "NOPERM");
  CHECK(text(ask(pool, redis_command("GET", "a"))) == "1");
  CHECK(pool.stats().reconnects == 0);
}
