// What a Redis URL and the TLS options lead to, against real servers.
#include "support/log_lines.hpp"
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"
#include "support/until.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace corbel;
using namespace corbel::test;

namespace {

std::string with_port(std::string url, const redis_server &server) {
  return url.replace(url.find("PORT"), 4, std::to_string(server.port()));
}

/// The status with which the pool's first command ends, where the server cannot be used.
error refusal(runtime &rt, redis_options options) {
  redis_pool pool(rt, std::move(options));
  error why;
  REQUIRE(until(20s, [&] {  // until a try has been made: on a busy machine a handshake takes its time
    why = ask(pool, redis_command("PING"), {.timeout = 700ms}).error();
    return why.message().find("still connecting") == std::string::npos;
  }));
  REQUIRE(why);
  return why;
}

bool has_ipv6() {
  return std::filesystem::exists("/proc/net/if_inet6") && std::ifstream("/proc/net/if_inet6").peek() != EOF;
}

}  // namespace

TEST_CASE("redis:// reaches the database of its path, 0 without one") {
  redis_server server;
  runtime rt;
  for (const auto &each : {std::pair("", "0"), std::pair("/", "0"), std::pair("/3", "3"), std::pair("?db=4", "4")}) {
    const auto *path = each.first, *db = each.second;
    CAPTURE(path);
    redis_pool pool(rt, {.url = server.url() + path});
    CHECK(text(ask(pool, redis_command("SET", "where", path))) == "OK");
    auto clients = server.clients();
    REQUIRE_FALSE(clients.empty());
    CHECK(clients.back().find(std::string(" db=") + db + " ") != std::string::npos);
  }
}

TEST_CASE("the connection's name holds service, instance, process and kind") {
  redis_server server;
  runtime rt({.name = "orders", .instance = "box-7"});
  redis_pool pool(rt, {.url = server.url(), .kind = "cache"});
  CHECK(text(ask(pool, redis_command("CLIENT", "GETNAME"))) == "orders:box-7:" + std::to_string(::getpid()) + ":cache");
}

TEST_CASE("localhost is tried at every address") {
  redis_server server({.arguments = {"--bind", "127.0.0.1"}});
  runtime rt;
  redis_pool pool(rt, {.url = with_port("redis://localhost:PORT", server)});
  CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
}

TEST_CASE("an IPv6 address in brackets") {
  redis_server server;
  runtime rt;
  redis_options options{.url = with_port("redis://[::1]:PORT/1", server)};
  if (has_ipv6()) {
    redis_pool pool(rt, options);
    CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
  } else {
    CHECK(refusal(rt, options).is(status::unavailable));
  }
}

TEST_CASE("unix:// with password and database") {
  redis_server server({.password = "open sesame"});
  runtime rt;
  redis_pool pool(rt, {.url = "unix://:open%20sesame@" + server.unix_path() + "?db=2"});
  CHECK(text(ask(pool, redis_command("SET", "a", "1"))) == "OK");
  CHECK(server.command({"SELECT", "2"}).text == "OK");
  CHECK(server.command({"GET", "a"}).text == "1");
}

TEST_CASE("a password with every reserved character, percent-encoded") {
  redis_server server({.password = "p@ss:w/rd%?#[] &"});
  runtime rt;
  for (auto user : {":", "default:", ""}) {
    redis_pool pool(
        rt,
        {.url = with_port(std::string("redis://") + user + "p%40ss%3Aw%2Frd%25%3F%23%5B%5D%20%26@127.0.0.1:PORT", server)});
    CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
  }
}

TEST_CASE("an ACL user, and only with its password") {
  redis_server server({.acl = {"user default off", "user ada:lovelace on >s3cret ~app:* &* +@all"}});
  runtime rt;
  redis_pool pool(rt, {.url = with_port("redis://ada%3Alovelace:s3cret@127.0.0.1:PORT", server)});
  CHECK(text(ask(pool, redis_command("ACL", "WHOAMI"))) == "ada:lovelace");
  CHECK(text(ask(pool, redis_command("SET", "app:1", "x"))) == "OK");
  CHECK(ask(pool, redis_command("SET", "other", "x")).error().native() == "NOPERM");

  auto e = refusal(rt, {.url = with_port("redis://ada%3Alovelace:wr0ng@127.0.0.1:PORT", server)});
  INFO(said(e));
  CHECK(e.native() == "WRONGPASS");
  CHECK((e.flags() & error::fatal) != 0);
  CHECK(e.message().find("wr0ng") == std::string::npos);
}

TEST_CASE("no password where one is required: NOAUTH") {
  redis_server server({.password = "secret"});
  runtime rt;
  auto e = refusal(rt, {.url = with_port("redis://127.0.0.1:PORT", server)});
  INFO(said(e));
  CHECK(e.native() == "NOAUTH");
  CHECK((e.flags() & error::fatal) != 0);
}

TEST_CASE("rediss:// verifies the certificate and its name") {
  redis_server server({.password = "pw", .tls = true, .tls_names = "DNS:localhost,DNS:cache.example"});
  auto ca = server.tls().ca;
  runtime rt;
  {
    redis_pool pool(rt, {.url = server.url(), .tls_ca = ca});
    CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
    std::string big(3 << 20, 'x');
    CHECK(text(ask(pool, redis_command("ECHO", big))) == big);
  }
  {
    redis_pool pool(rt,
                    {.url = with_port("rediss://:pw@127.0.0.1:PORT", server), .tls_ca = ca, .tls_name = "cache.example"});
    CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
  }
  auto wrong_name = refusal(rt, {.url = with_port("rediss://:pw@127.0.0.1:PORT", server), .tls_ca = ca});
  INFO(said(wrong_name));
  CHECK(wrong_name.source() == "tls");
  CHECK(wrong_name.is(status::unavailable));
  auto other_name = refusal(rt, {.url = server.url(), .tls_ca = ca, .tls_name = "other.example"});
  CHECK(other_name.source() == "tls");
  auto unknown_authority = refusal(rt, {.url = server.url()});
  INFO(said(unknown_authority));
  CHECK(unknown_authority.source() == "tls");
  CHECK(until(10s, [&] { return server.clients().empty(); }));
}

TEST_CASE("a client certificate, where the server asks for one") {
  redis_server server({.tls = true, .tls_clients = true});
  auto &c = server.tls();
  runtime rt;
  redis_pool pool(rt, {.url = server.url(), .tls_ca = c.ca, .tls_cert = c.client_cert, .tls_key = c.client_key});
  CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
  auto e = refusal(rt, {.url = server.url(), .tls_ca = c.ca});
  INFO(said(e));
  CHECK(e.is(status::unavailable));
}

TEST_CASE("TLS spoken to a plain server, and plain to a TLS server, end with an error") {
  runtime rt;
  redis_server plain, secured({.tls = true});
  CHECK(
      refusal(rt, {.url = with_port("rediss://localhost:PORT", plain), .tls_ca = secured.tls().ca}).is(status::unavailable));
  CHECK(refusal(rt, {.url = with_port("redis://localhost:PORT", secured)}).is(status::unavailable));
}

TEST_CASE("a file of certificates that is not there is told at once") {
  redis_server server({.tls = true});
  runtime rt;
  CHECK_THROWS_AS(redis_pool(rt, {.url = server.url(), .tls_ca = "/nowhere/ca.pem"}), failure);
}

TEST_CASE("a wrong URL is refused when the pool is made, without its password") {
  runtime rt;
  for (std::string url :
       {"http://:hunter2@h", "redis://:hunter2@h:99999", "redis://:hunter2@h:x", "redis://u:hunter2@h/abc",
        "redis://u:hunter2@h?x=1", "redis://u:hunter2@h/0#f", "redis://u:hun ter2@h", "unix://:hunter2@", "hunter2", ""}) {
    CAPTURE(url);
    try {
      redis_pool pool(rt, {.url = url});
      FAIL("accepted");
    } catch (const failure &f) {
      CHECK(f.error().is(status::invalid));
      CHECK(std::string(f.what()).find("ter2") == std::string::npos);
    }
  }
}

TEST_CASE("passwords are in no log line and no metric") {
  redis_server server({.password = "right-secret"});
  log_lines lines;
  runtime rt({.level = log_level::debug, .log = lines.collector()});
  redis_pool good(rt, {.url = server.url()});
  CHECK(text(ask(good, redis_command("PING"))) == "PONG");
  refusal(rt, {.url = with_port("redis://:wrong-secret@127.0.0.1:PORT", server)});
  server.kill();
  CHECK_FALSE(ask(good, redis_command("PING"), {.timeout = 200ms}));
  CHECK(until(10s, [&] { return lines.count("") > 0; }));
  auto metrics = rt.metrics_text();
  CHECK_FALSE(rt.shutdown(5s).error());
  CHECK(lines.count("-secret") == 0);
  CHECK(metrics.find("-secret") == std::string::npos);
}
