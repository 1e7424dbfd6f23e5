#include "base/redact_text.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace corbel::detail;

namespace {
struct row {
  std::string text, shown;
};
}  // namespace

TEST_CASE("what stands after a name of a secret") {
  for (const row &r : {
           row{"", ""},
           {"password=hunter2", "password=***"},
           {"PASSWORD = hunter2 and more", "PASSWORD = *** and more"},
           {"login with password: hunter2, user: ada", "login with password: ***, user: ada"},
           {"{\"api_key\": \"x1\", \"n\": 2}", "{\"api_key\": \"***\", \"n\": 2}"},
           {"{\"password\":\"a\\\"b c\",\"n\":2}", "{\"password\":\"***\",\"n\":2}"},
           {"sent {\\\"token\\\": \\\"abc\\\"}", "sent {\\\"token\\\": \\\"***\\\"}"},
           {"x-auth-token: abc; next=1", "x-auth-token: ***; next=1"},
           {"q=1&access_token=abc&n=2", "q=1&access_token=***&n=2"},
           {"client.secret='a b' end", "client.secret='***' end"},
           {"password=\"never closed", "password=\"***"},
           {"secret=", "secret="},
           {"Authorization: Bearer eyJhbGciOi.e30", "Authorization: ***"},
           {"authorization=Basic dXNlcjpwYXNz, x", "authorization=***, x"},
           {"Proxy-Authorization: Negotiate abcdef==", "Proxy-Authorization: ***"},
           {"Set-Cookie: session=abc; Path=/", "Set-Cookie: ***; Path=/"},
       }) {
    INFO(r.text);
    CHECK(redact_text(r.text) == r.shown);
  }
}

TEST_CASE("credentials without a name, and URLs") {
  CHECK(redact_text("refused Bearer abc123def, sorry") == "refused Bearer ***, sorry");
  CHECK(redact_text("bearer eyJhbGciOiJIUzI1NiJ9.e30.x") == "bearer ***");
  CHECK(redact_text("header 'Basic dXNlcjpwYXNz'") == "header 'Basic ***'");
  CHECK(redact_text("cannot reach redis://u:secret@db:6379/0 now") == "cannot reach redis://***@db:6379/0 now");
  CHECK(redact_text("see \"https://x.org/?sig=abc\".") == "see \"https://x.org/?sig=***\".");
}

TEST_CASE("ordinary text stays as it is") {
  for (const std::string text :
       {"the bearer of news is here", "basic checks passed: 3 of 3", "tokens: 120, prompt_tokens=80",
        "author: Ada, compass=n", "password authentication failed for user \"ada\"",
        "WRONGPASS invalid username-password pair or user is disabled.", "unexpected token at 3:7",
        "10:30:00 error_class=timeout ratio=0.5", "Basic usage of memory: 5 MiB", "a=b c:d {} \xFF",
        "redis://db:6379/0 answers", "passed=7 bypass=1"}) {
    INFO(text);
    CHECK(redact_text(text) == text);
  }
}

TEST_CASE("a line's fields, by name and by value") {
  corbel::log_line line{.part = "p",
                        .text = "token=abc",
                        .fields = {{"password", "hunter2"},
                                   {"X-Api-Key", "k"},
                                   {"header", "Bearer abc123def"},
                                   {"url", "redis://:pw@db/0"},
                                   {"tokens", "120"}}};
  redact_line(line);
  CHECK(line.text == "token=***");
  CHECK(line.fields[0].value == "***");
  CHECK(line.fields[1].value == "***");
  CHECK(line.fields[2].value == "Bearer ***");
  CHECK(line.fields[3].value == "redis://***@db/0");
  CHECK(line.fields[4].value == "120");
}

TEST_CASE("a secret after its name never shows, whatever is around it") {
  std::mt19937 random(7);
  const std::string pieces[] = {"\"", "'", " ", "=", ":", "{", "}", ",", "\\", "x", "://", "@", "\n", "a=b ", "Bearer "};
  const std::string names[] = {"password", "\"token\"", "Authorization", "client_secret"};
  for (int i = 0; i < 20'000; ++i) {
    std::string before, after;
    for (auto n = random() % 6; n > 0; --n) before += pieces[random() % 14];
    for (auto n = random() % 6; n > 0; --n) after += pieces[random() % 15];
    const auto text = before + ' ' + names[random() % 4] + (random() % 2 ? "=" : ": ") + "S3CRETVALUE" + after;
    INFO(text);
    REQUIRE(redact_text(text).find("S3CRETVALUE") == std::string::npos);
  }
}
