// Deadlines, cancelling, and what is sent again: exactly one completion, and nothing applied twice.
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"
#include "support/tcp_gate.hpp"
#include "support/until.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include <optional>

using namespace corbel;
using namespace corbel::test;
using steady = std::chrono::steady_clock;

namespace {

struct fixture {
  redis_server server;
  tcp_gate gate{server.port()};
  runtime rt;
  redis_pool pool{rt, {.url = gate.url()}};

  long long counter() {
    auto a = server.command({"GET", "n"});
    return a.nil ? 0 : std::stoll(a.text);
  }
  /// A command, cancelled by its caller once `ready` holds.
  template <class Ready>
  result<redis_reply> cancelled(redis_command command, Ready ready) {
    boost::asio::io_context ctx;
    boost::asio::cancellation_signal cancel;
    std::optional<result<redis_reply>> got;
    int completions = 0;
    boost::asio::post(ctx, [&] {
      pool.async_send(
          std::move(command), {.timeout = 20s},
          boost::asio::bind_cancellation_slot(cancel.slot(), boost::asio::bind_executor(ctx, [&](result<redis_reply> r) {
                                                ++completions;
                                                got = std::move(r);
                                              })));
      REQUIRE(until(patience, ready));
      cancel.emit(boost::asio::cancellation_type::all);
    });
    ctx.run_for(patience);
    REQUIRE(completions == 1);
    return *got;
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "a deadline that passes after sending: TIMEOUT, maybe applied, and no answer is shifted") {
  CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
  server.pause();
  std::vector<std::future<result<redis_reply>>> all;
  for (int i = 0; i < 500; ++i)
    all.push_back(pool.async_send(redis_command("ECHO", i), {.timeout = 200ms}, boost::asio::use_future));
  auto began = steady::now();
  int right = 0;
  error other;
  for (auto &f : all) {
    auto e = come(std::move(f)).error();
    bool expected = e.is(status::timeout) && e.may_be_applied() && e.message().find("200") != std::string::npos;
    right += expected;
    if (!expected) other = e;
  }
  INFO(said(other));
  CHECK(right == 500);
  CHECK(steady::now() - began < 10s);
  server.resume();
  for (int i = 0; i < 500; ++i)
    CHECK(text(ask(pool, redis_command("ECHO", i + 1000), {.timeout = 20s})) == std::to_string(i + 1000));
  CHECK(pool.stats().timeouts == 500);
  CHECK(pool.stats().unanswered == 0);
}

TEST_CASE_FIXTURE(fixture, "the default deadline is the pool's") {
  redis_pool brief(rt, {.url = gate.url(), .call_timeout = 150ms});
  CHECK(text(ask(brief, redis_command("PING"))) == "PONG");
  server.pause();
  CHECK(ask(brief, redis_command("PING")).error().is(status::timeout));
  server.resume();
}

TEST_CASE_FIXTURE(fixture, "no deadline, when that is said") {
  redis_pool brief(rt, {.url = gate.url(), .call_timeout = 50ms});
  CHECK(text(ask(brief, redis_command("PING"), {.timeout = 10s})) == "PONG");
  server.pause();
  auto patient = brief.async_send(redis_command("ECHO", "late"), {.timeout = call::unlimited}, boost::asio::use_future);
  CHECK(ask(brief, redis_command("PING"), {.timeout = 300ms}).error().is(status::timeout));
  CHECK(patient.wait_for(0s) == std::future_status::timeout);
  server.resume();
  CHECK(text(come(std::move(patient))) == "late");
}

TEST_CASE_FIXTURE(fixture, "what is asked while the server is away is sent when it is back, once") {
  CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
  gate.refuse(true);
  gate.reset_all();
  REQUIRE(until(patience, [&] { return pool.stats().open == 0; }));
  std::vector<std::future<result<redis_reply>>> all;
  for (int i = 0; i < 100; ++i)
    all.push_back(pool.async_send(redis_command("INCR", "n"), {.timeout = 20s}, boost::asio::use_future));
  gate.refuse(false);
  for (auto &f : all) CHECK(come(std::move(f)));
  CHECK(counter() == 100);
}

TEST_CASE_FIXTURE(fixture, "a deadline that passes before sending: UNAVAILABLE with the last connect error, not applied") {
  gate.refuse(true);
  gate.reset_all();
  REQUIRE(until(patience, [&] { return pool.stats().open == 0; }));
  auto e = ask(pool, redis_command("INCR", "n"), {.timeout = 300ms}).error();
  INFO(said(e));
  CHECK(e.is(status::unavailable));
  CHECK_FALSE(e.may_be_applied());
  CHECK(e.may_retry());
  CHECK(e.native() == "ECONNREFUSED");
  CHECK(e.message().find("refused") != std::string::npos);
  auto lease = take(pool, {.timeout = 300ms}).error();
  INFO(said(lease));
  CHECK(lease.is(status::unavailable));
  CHECK(lease.message().find("refused") != std::string::npos);
  gate.refuse(false);
  CHECK(text(ask(pool, redis_command("INCR", "n"), {.timeout = 20s})) == "1");
}

TEST_CASE_FIXTURE(fixture, "those who wait for a connection are bounded") {
  gate.refuse(true);
  redis_pool small(rt, {.url = gate.url(), .max_waiting = 10});
  std::vector<std::future<result<redis_reply>>> all;
  for (int i = 0; i < 10; ++i)
    all.push_back(small.async_send(redis_command("PING"), {.timeout = 20s}, boost::asio::use_future));
  auto e = ask(small, redis_command("PING"), {.timeout = 20s}).error();
  INFO(said(e));
  CHECK(e.is(status::busy));
  gate.refuse(false);
  for (auto &f : all) CHECK(come(std::move(f)));
}

TEST_CASE_FIXTURE(fixture, "a loss after sending: LOST, maybe applied, and never sent twice") {
  redis_command incr("EVAL", "return 'MARK' .. redis.call('INCR', 'n')", 0);
  gate.reset_when("MARK");
  auto e = ask(pool, incr, {.timeout = 10s}).error();
  INFO(said(e));
  CHECK(e.is(status::lost));
  CHECK(e.may_be_applied());
  gate.reset_when("");
  CHECK(text(ask(pool, redis_command("PING"), {.timeout = 10s})) == "PONG");
  CHECK(counter() == 1);
  CHECK(pool.stats().lost == 1);
}

TEST_CASE_FIXTURE(fixture, "idempotent: sent again after a loss, once") {
  redis_command incr("EVAL", "return 'MARK' .. redis.call('INCR', 'n')", 0);
  CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
  gate.reset_after(1);  // the first answer is lost
  CHECK(text(ask(pool, incr, {.timeout = 10s, .idempotent = true})) == "MARK2");

  server.command({"DEL", "n"});
  gate.reset_when("MARK");  // every answer is lost
  auto e = ask(pool, incr, {.timeout = 10s, .idempotent = true}).error();
  INFO(said(e));
  CHECK(e.is(status::lost));
  gate.reset_when("");
  CHECK(counter() == 2);
}

TEST_CASE_FIXTURE(fixture, "not idempotent: a time-out is never followed by a second sending") {
  CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
  server.pause();
  CHECK(ask(pool, redis_command("INCR", "n"), {.timeout = 200ms}).error().is(status::timeout));
  gate.reset_all();
  server.resume();
  CHECK(text(ask(pool, redis_command("PING"), {.timeout = 20s, .idempotent = true})) == "PONG");
  CHECK(until(patience, [&] { return server.clients(":redis").size() == 1; }));
  CHECK(counter() <= 1);
}

TEST_CASE_FIXTURE(fixture, "cancelled after sending: one completion, and no answer is shifted") {
  CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
  server.pause();
  auto r = cancelled(redis_command("ECHO", "cancelled"), [&] { return pool.stats().unanswered == 1; });
  CHECK(r.error().is(status::cancelled));
  server.resume();
  for (int i = 0; i < 20; ++i) CHECK(text(ask(pool, redis_command("ECHO", i), {.timeout = 20s})) == std::to_string(i));
}

TEST_CASE_FIXTURE(fixture, "cancelled before sending: not applied") {
  gate.refuse(true);
  gate.reset_all();
  REQUIRE(until(patience, [&] { return pool.stats().open == 0; }));
  auto r = cancelled(redis_command("INCR", "n"), [] { return true; });
  CHECK(r.error().is(status::cancelled));
  CHECK_FALSE(r.error().may_be_applied());
  gate.refuse(false);
  CHECK(text(ask(pool, redis_command("PING"), {.timeout = 20s})) == "PONG");
  CHECK(counter() == 0);
}

TEST_CASE_FIXTURE(fixture, "a silent connection is pinged, and one that does not answer is replaced") {
  redis_pool watchful(rt, {.url = gate.url(), .idle_ping = 50ms, .ping_overdue = 200ms});
  CHECK(text(ask(watchful, redis_command("PING"))) == "PONG");
  gate.black_hole(true);
  REQUIRE(until(patience, [&] { return watchful.stats().open == 0; }));
  gate.black_hole(false);
  CHECK(text(ask(watchful, redis_command("PING"), {.timeout = 20s})) == "PONG");
  CHECK(watchful.stats().reconnects >= 1);
}
