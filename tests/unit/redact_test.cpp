#include "base/redact.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using corbel::detail::redact_url;

namespace {
struct row {
  std::string url, shown;
};
}  // namespace

TEST_CASE("well-formed URLs keep all but their secrets") {
  for (const row &r : {
           row{"", ""},
           {"redis://db:6379/0", "redis://db:6379/0"},
           {"redis://db", "redis://db"},
           {"redis://user:secret@db:6379/0", "redis://***@db:6379/0"},
           {"redis://:secret@db", "redis://***@db"},
           {"rediss://secret@db", "rediss://***@db"},
           {"REDIS://u:secret@DB/1", "REDIS://***@DB/1"},
           {"redis://u:p%40ss%2Fsecret@[::1]:6379/2", "redis://***@[::1]:6379/2"},
           {"redis://[::1]:6379", "redis://[::1]:6379"},
           {"redis://@db", "redis://@db"},
           {"unix:///run/redis.sock?db=2", "unix:///run/redis.sock?db=2"},
           {"unix:///run/redis.sock?password=secret&db=2", "unix:///run/redis.sock?password=***&db=2"},
           {"unix://u:secret@/run/redis.sock", "unix://***@/run/redis.sock"},
           {"postgres://db/x?password=secret", "postgres://db/x?password=***"},
           {"postgres://a:1,b:2/x", "postgres://a:1,b:2/x"},
           {"postgres://u:secret@a:1,b:2/x?sslpassword=secret&sslmode=require",
            "postgres://***@a:1,b:2/x?sslpassword=***&sslmode=require"},
           {"https://example.org/@scope/thing?q=1#top", "https://example.org/@scope/thing?q=1#top"},
           {"https://token-secret@example.org/a.git", "https://***@example.org/a.git"},
           {"https://example.org/x?to=a@b.org", "https://example.org/x?to=a@b.org"},
           {"https://example.org/x?access_token=secret&n=1", "https://example.org/x?access_token=***&n=1"},
           {"https://example.org/cb#id_token=secret", "https://example.org/cb#id_token=***"},
           {"https://example.org/x?X-Amz-Signature=secret", "https://example.org/x?X-Amz-Signature=***"},
           {"git@example.org:a/b.git", "***@example.org:a/b.git"},
       }) {
    INFO(r.url);
    CHECK(redact_url(r.url) == r.shown);
  }
}

TEST_CASE("odd URLs rather lose too much than show a secret") {
  for (const row &r : {
           row{"redis://u:se/cret@db", "redis://***@db"},
           {"redis://u:se@cret@db", "redis://***@db"},
           {"redis://u:se?cret@db", "redis://***@db"},
           {"redis://u:se#cret@db", "redis://***@db"},
           {"redis://u:12/secret@db", "redis://***@db"},
           {"https://u:se/cret@db/x", "https://***@db/x"},
           {"redis://u:secret", "redis://***"},
           {"redis://:secret/0", "redis://***"},
           {"redis://u:?password=secret@db", "redis://***"},
           {"redis://u:?password=se&cret@db", "redis://***@db"},
           {"postgres://db/x?password=sec@ret", "postgres://***"},
           {"postgres://db/x?password=a;secret=b", "postgres://db/x?password=***"},
           {"postgres://db/x?PassWord=secret", "postgres://db/x?PassWord=***"},
           {"postgres://db/x?p%61ssword=secret", "postgres://db/x?p%61ssword=***"},
           {"postgres://db/x?%7=secret&%zz=1&p%=2", "postgres://db/x?%7=secret&%zz=1&p%=2"},
           {"postgres://db/x?password=", "postgres://db/x?password=***"},
           {"postgres://db/x?password", "postgres://db/x?password"},
           {"postgres://db/x?password=secret&password=secret", "postgres://db/x?password=***&password=***"},
           {"postgres://db/x?a=1;pwd=secret", "postgres://db/x?a=1;pwd=***"},
           {"user:secret@db:6379", "***@db:6379"},
           {"//u:secret@db", "//***@db"},
           {"redis:/u:secret@db", "***@db"},
           {"redis:u:secret@db", "***@db"},
           {" redis://u:secret@db", "***@db"},
           {"jdbc:postgresql://u:secret@db/x", "***@db/x"},
           {"http:\\\\u:secret@db", "***@db"},
           {"u:se://cret@db", "***@db"},
           {"redis://u:secret@", "redis://***@"},
           {"@", "@"},
           {"://", "://"},
           {"?", "?"},
           {"?password=secret", "?password=***"},
           {"redis://[::1", "redis://***"},
           {"redis://${HOST}:${PORT}", "redis://***"},
           {"https://u:secret@example.org/@scope", "https://***@scope"},
       }) {
    INFO(r.url);
    CHECK(redact_url(r.url) == r.shown);
  }
}

TEST_CASE("no odd character lets the password of user information through") {
  std::mt19937 random(3);
  const std::string odd =
      "/?#@&;=:%[] \n\xFF"
      "ab1";
  for (int round = 0; round < 20000; ++round) {
    std::string password;
    for (auto n = random() % 8; n > 0; --n) password += odd[random() % odd.size()];
    password += "HUNTER2";
    for (auto n = random() % 8; n > 0; --n) password += odd[random() % odd.size()];
    auto url = std::string(random() % 2 ? "redis" : "postgresql") + "://user:" + password + "@db:6379/0";
    INFO(url);
    REQUIRE(redact_url(url) == url.substr(0, url.find(':')) + "://***@db:6379/0");
  }
}
