// The reader of URLs and conninfo: known texts, then changed ones, in which nothing may crash and no password may be shown.
#include "postgres/conninfo.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace corbel;
using namespace corbel::detail;

namespace {
result<pg_parameters> read(const std::string &text, std::map<std::string, std::string> variables = {}) {
  return read_conninfo(text, [&](const char *name) {
    auto it = variables.find(name);
    return it == variables.end() ? nullptr : it->second.c_str();
  });
}
}  // namespace

TEST_CASE("URLs and words") {
  auto p = read("postgresql://ada:p%40ss@db1:5433,db2/app?sslmode=require&application_name=x").value();
  CHECK(parameter(p, "user") == "ada");
  CHECK(parameter(p, "password") == "p@ss");
  CHECK(parameter(p, "dbname") == "app");
  CHECK(parameter(p, "sslmode") == "require");
  auto hosts = split_hosts(p).value();
  REQUIRE(hosts.size() == 2);
  CHECK(hosts[0].host == "db1");
  CHECK(hosts[0].port == "5433");
  CHECK(hosts[1].host == "db2");
  CHECK(hosts[1].port == "5432");
  p = read("host='a b' port=6000 user=ada").value();
  CHECK(parameter(p, "host") == "a b");
  CHECK(read("service=x").error().is(status::unsupported));
}

TEST_CASE("POSTGRES_* where there is no text, with port 5434 and the platform's meaning of POSTGRES_SSL") {
  auto p = read("", {{"POSTGRES_HOST", "db"}}).value();
  CHECK(parameter(p, "host") == "db");
  CHECK(parameter(p, "port") == "5434");
  CHECK(parameter(p, "user") == "postgres");
  CHECK(parameter(p, "password") == "postgres");
  CHECK(parameter(p, "dbname") == "postgres");
  CHECK(parameter(p, "sslmode") == "disable");
  CHECK(parameter(read("", {{"POSTGRES_SSL", "true"}}).value(), "sslmode") == "require");
  p = read("", {{"POSTGRES_SSL", "True"}, {"POSTGRES_SSL_MODE", "VERIFY_CA"}, {"POSTGRES_SSL_ROOT_CERT", "/ca"}}).value();
  CHECK(parameter(p, "sslmode") == "verify-ca");
  CHECK(parameter(p, "sslrootcert") == "/ca");
  CHECK(read("", {{"POSTGRES_SSL", "1"}, {"POSTGRES_SSL_MODE", "maybe"}}).error().is(status::invalid));
  CHECK(parameter(read("host=x", {{"POSTGRES_PORT", "1"}}).value(), "port") != "1");
}

TEST_CASE("changed texts") {
  const std::string seeds[] = {"postgresql://ada:s3cretword@db1:5433,db2:1/app?sslmode=require&target_session_attrs=any",
                               "postgres://ada:s3cretword@[::1]:5432/?host=/tmp",
                               "host=a,b hostaddr=1.2.3.4,5.6.7.8 port=1,2 user=ada password='s3cret word' dbname=x",
                               "password=s3cretword options='-c a=b' keepalives=0"};
  const std::string alphabet = "=,:/?&%@[]'\\ \t#abz059";
  int taken = 0, refused = 0;
  for (unsigned seed = 0; seed < 20000; ++seed) {
    std::minstd_rand random(seed);
    auto text = seeds[random() % std::size(seeds)];
    for (auto changes = random() % 6; changes > 0 && !text.empty(); --changes) {
      const auto at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text.erase(at, random() % 5 + 1);
          break;
        case 1:
          text.insert(at, 1, alphabet[random() % alphabet.size()]);
          break;
        case 2:
          text[at] = static_cast<char>(random() % 256);
          break;
        default:
          text += text.substr(at, 8);
      }
    }
    CAPTURE(seed);
    auto p = read(text);
    if (p) {
      auto hosts = split_hosts(*p);
      taken += hosts.has_value();
      if (hosts) CHECK_FALSE(hosts->empty());
    } else {
      ++refused;
      CHECK((p.error().is(status::invalid) || p.error().is(status::unsupported)));
      CHECK(p.error().message().find("s3cret") == std::string::npos);
      CHECK(p.error().message().find('\n') == std::string::npos);
    }
  }
  CHECK(taken > 1000);
  CHECK(refused > 1000);
}
