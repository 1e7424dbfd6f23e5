// Lua scripts by their SHA1, loaded when the server does not know them.
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"

#include <corbel/redis_script.hpp>

#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::test;

namespace {

const redis_script add("return redis.call('INCRBY', KEYS[1], ARGV[1])", 1);

struct fixture {
  redis_server server{{.append_only = true}};
  runtime rt;
  redis_pool pool{rt, {.url = server.url()}};

  std::future<result<redis_reply>> start(const redis_script &s, redis_command evalsha, call c = {}) {
    return async_run(pool, s, std::move(evalsha), c, boost::asio::use_future);
  }
  result<redis_reply> run(const redis_script &s, redis_command evalsha, call c = {}) {
    return come(start(s, std::move(evalsha), c));
  }
  /// How often the server has been asked for a command.
  long calls(const std::string &command) {
    try {
      auto line = server.info("cmdstat_" + command);
      return std::stol(line.substr(line.find("calls=") + 6));
    } catch (const std::runtime_error &) {
      return 0;
    }
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "the SHA1 is the server's") {
  CHECK(add.sha1() == server.command({"SCRIPT", "LOAD", add.source()}).text);
  CHECK(add.keys() == 1);
}

TEST_CASE_FIXTURE(fixture, "a script is loaded once and then known") {
  CHECK(text(run(add, add.command("n", 5))) == "5");
  auto after_first = calls("script|load") + calls("eval");
  CHECK(after_first == 1);
  for (int i = 0; i < 20; ++i) CHECK(run(add, add.command("n", 1)));
  CHECK(calls("script|load") + calls("eval") == 1);
  CHECK(server.command({"GET", "n"}).text == "25");
}

TEST_CASE_FIXTURE(fixture, "flushed scripts are loaded again, and each run counts once") {
  for (int round = 1; round <= 20; ++round) {
    server.command({"SCRIPT", "FLUSH"});
    std::vector<std::future<result<redis_reply>>> all;
    for (int i = 0; i < 100; ++i) all.push_back(start(add, add.command("n", 1)));
    for (auto &f : all) CHECK(come(std::move(f)));
    CHECK(server.command({"GET", "n"}).text == std::to_string(round * 100));
  }
}

TEST_CASE_FIXTURE(fixture, "a server that was restarted and knows no script") {
  CHECK(text(run(add, add.command("n", 1))) == "1");
  server.kill();
  server.start();
  CHECK(text(run(add, add.command("n", 1), {.timeout = 10s})) == "2");
}

TEST_CASE_FIXTURE(fixture, "keys and arguments are any bytes, and a script of many bytes is carried") {
  redis_script echo("-- " + std::string(1 << 20, 'x') + "\nreturn {KEYS[1], KEYS[2], ARGV[1]}", 2);
  std::string odd("\0\r\n\xff", 4);
  auto r = run(echo, echo.command(odd, "", odd));
  REQUIRE(r);
  CHECK(r->root()[0].text() == odd);
  CHECK(r->root()[1].text().empty());
  CHECK(r->root()[2].text() == odd);
}

TEST_CASE_FIXTURE(fixture, "errors of a script keep their code") {
  redis_script syntax("this is no Lua", 0), fails("return redis.error_reply('BROKE down')", 0),
      wrong("return redis.call('INCR', KEYS[1])", 1);
  server.command({"RPUSH", "list", "a"});
  for (int again = 0; again < 2; ++again) {
    CHECK(run(syntax, syntax.command()).error().native() == "ERR");
    CHECK(run(fails, fails.command()).error().native() == "BROKE");
    CHECK(run(wrong, wrong.command("list")).error().native() == "WRONGTYPE");
  }
  CHECK(run(wrong, wrong.command("list")).error().is(status::refused));
}

TEST_CASE_FIXTURE(fixture, "the deadline covers loading too") {
  CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
  server.pause();
  auto e = run(add, add.command("n", 1), {.timeout = 200ms}).error();
  server.resume();
  INFO(said(e));
  CHECK(e.is(status::timeout));
  CHECK(e.may_be_applied());
  CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
}
