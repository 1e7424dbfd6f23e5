// How a connection is made: URL, conninfo, TLS, SCRAM, several hosts, and what a refusal says.
#include "support/log_lines.hpp"
#include "support/pg_calls.hpp"
#include "support/postgres_server.hpp"
#include "support/until.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace corbel;
using namespace corbel::test;

namespace {
std::string first(runtime &rt, const std::string &conninfo, const char *sql = "SELECT 1") {
  pg_pool pool(rt, {.conninfo = conninfo, .kind = "first", .max_size = 1});
  return text(ask(pool, sql, {.timeout = 10s}));
}
std::string port_of(const postgres_server &s) { return std::to_string(s.port()); }
}  // namespace

TEST_CASE("URL, conninfo, names, Unix sockets") {
  postgres_server server;
  runtime rt;
  CHECK(first(rt, server.url()) == "1");
  CHECK(first(rt, "host=127.0.0.1 port=" + port_of(server) + " user=postgres dbname=postgres") == "1");
  CHECK(first(rt, "postgresql://postgres@localhost:" + port_of(server) + "/postgres") == "1");
  CHECK(first(rt, "postgresql://postgres@[::1]:" + port_of(server) + "/postgres") == "1");
  CHECK(first(rt, "host=" + server.socket_folder() + " port=" + port_of(server) + " user=postgres dbname=postgres") == "1");
  CHECK(first(rt, "hostaddr=127.0.0.1 host=name.invalid port=" + port_of(server) + " user=postgres dbname=postgres") == "1");
  CHECK(first(rt, "postgresql://postgres@name.invalid,127.0.0.1:" + port_of(server) + "/postgres").starts_with("INVALID") ==
        false);
}

TEST_CASE("settings from POSTGRES_*") {
  postgres_server server;
  runtime rt;
  ::setenv("POSTGRES_HOST", "127.0.0.1", 1);
  ::setenv("POSTGRES_PORT", port_of(server).c_str(), 1);
  CHECK(first(rt, "", "SELECT current_user || ' ' || current_database()") == "postgres postgres");
  ::unsetenv("POSTGRES_HOST");
  ::unsetenv("POSTGRES_PORT");
}

TEST_CASE("SCRAM; a wrong password, user or database is said at once and never shown") {
  postgres_server server({.hba = {"host all all all scram-sha-256"}});
  server.ask("CREATE USER ada PASSWORD 'right'");
  log_lines lines;
  runtime rt({.level = log_level::debug, .log = lines.collector()});
  const auto at = "@127.0.0.1:" + port_of(server) + "/";
  CHECK(first(rt, "postgresql://ada:right" + at + "postgres") == "1");
  for (auto &[user, database, code] :
       {std::tuple("ada:wr0ng", "postgres", "28P01"), std::tuple("ada:right", "nothing", "3D000"),
        std::tuple("bob:wr0ng", "postgres", "28P01"), std::tuple("ada", "postgres", "28P01")}) {
    pg_pool pool(rt, {.conninfo = std::string("postgresql://") + user + at + database, .kind = "refused"});
    auto e = ask(pool, "SELECT 1", {.timeout = 20s}).error();
    INFO(said(e));
    CHECK(e.is(status::refused));
    CHECK(e.native() == code);
    CHECK((e.flags() & error::fatal) != 0);
    CHECK(e.message().find("wr0ng") == std::string::npos);
    CHECK(take(pool, {.timeout = 20s}).error().native() == code);
  }
  rt.shutdown(1s).value();
  CHECK(lines.count("wr0ng") == 0);
  CHECK(lines.count("28P01") + lines.count("password authentication failed") > 0);
}

TEST_CASE("every sslmode") {
  postgres_server server({.hba = {"hostssl all all all trust"}, .tls = true});
  runtime rt;
  auto mode = [&](const std::string &m, const std::string &more = "") {
    return first(rt, server.url("sslmode=" + m + more), "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
  };
  const auto ca = "&sslrootcert=" + server.tls().ca;
  CHECK(mode("disable").starts_with("REFUSED 28000"));
  for (auto m : {"allow", "prefer", "require"}) CHECK(mode(m) == "t");
  CHECK(mode("verify-ca", ca) == "t");
  CHECK(mode("verify-full", ca) == "t");
  CHECK(mode("verify-full", "&sslrootcert=/nothing").find("certificate") != std::string::npos);
  const auto by_address = "postgresql://postgres@127.0.0.1:" + port_of(server) + "/postgres?sslmode=verify-full" + ca;
  CHECK(first(rt, by_address).find("does not match host name") != std::string::npos);
  postgres_server plain;
  CHECK(first(rt, plain.url("sslmode=require")).find("does not support SSL") != std::string::npos);
  CHECK(first(rt, plain.url("sslmode=prefer")) == "1");
}

TEST_CASE("failover between two servers with target_session_attrs") {
  postgres_server first_server, second_server;
  runtime rt;
  const auto hosts = "host=127.0.0.1,127.0.0.1 port=" + port_of(first_server) + "," + port_of(second_server) +
                     " user=postgres dbname=postgres";
  auto read_only = [](postgres_server &s, bool on) {
    s.ask(std::string("ALTER SYSTEM SET default_transaction_read_only = ") + (on ? "on" : "off"));
    s.ask("SELECT pg_reload_conf()");
    CHECK(until(pg_patience, [&] { return s.value("SHOW default_transaction_read_only") == (on ? "on" : "off"); }));
  };
  read_only(second_server, true);
  pg_pool pool(rt, {.conninfo = hosts + " target_session_attrs=read-write"});
  auto where = [&] { return text(ask(pool, "SHOW port")); };
  CHECK(where() == port_of(first_server));
  CHECK(first(rt, hosts + " target_session_attrs=read-only", "SHOW port") == port_of(second_server));
  CHECK(first(rt, hosts + " target_session_attrs=prefer-standby", "SHOW port") == port_of(first_server));
  first_server.stop(postgres_server::how::immediate);
  CHECK(ask(pool, "SELECT 1", {.timeout = 500ms}).error().may_retry());
  second_server.ask("SET default_transaction_read_only = off");
  second_server.ask("ALTER SYSTEM SET default_transaction_read_only = off");
  second_server.ask("SELECT pg_reload_conf()");
  CHECK(until(pg_patience, [&] { return where() == port_of(second_server); }));
}

TEST_CASE("options that are wrong are refused with their name") {
  runtime rt;
  auto refused = [&](pg_options o) {
    try {
      pg_pool pool(rt, std::move(o));
    } catch (const failure &f) {
      CHECK(f.error().message().find("s3cret") == std::string::npos);
      return f.error().message();
    }
    return std::string("taken");
  };
  CHECK(refused({.conninfo = "postgresql://a:s3cret@host:0/db"}).find("port") != std::string::npos);
  CHECK(refused({.conninfo = "postgresql://a:s3cret@host/db?nonsense=1"}).find("does not know") != std::string::npos);
  CHECK(refused({.conninfo = "password=s3cret nonsense"}).find("without =") != std::string::npos);
  CHECK(refused({.conninfo = "host=a,b port=1,2,3"}).find("3 ports for 2 hosts") != std::string::npos);
  CHECK(refused({.conninfo = "host=a sslmode=maybe"}).find("sslmode") != std::string::npos);
  CHECK(refused({.conninfo = "host=a target_session_attrs=x"}).find("target_session_attrs") != std::string::npos);
  CHECK(refused({.conninfo = "host=a", .min_size = 3, .max_size = 2}).find("min_size") != std::string::npos);
  CHECK(refused({.conninfo = "host=a", .max_size = 0}).find("max_size") != std::string::npos);
  CHECK(refused({.conninfo = "host=a", .connect_timeout = 0ms}).find("connect_timeout") != std::string::npos);
}
