// Damaged Redis URLs: always an answer, never the password in it. The same seeds in every run; FUZZ_ROUNDS in the
// environment makes it longer.
#include "redis/url.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <random>
#include <string>

using namespace corbel;
using namespace corbel::detail;

namespace {

const std::string secret = "Zq7Zq7Zq7Zq7Zq7Zq7Zq7Zq7";

std::string damaged(std::mt19937 &random) {
  static const std::string whole[] = {"redis://user:" + secret + "@host.example:6379/3",
                                      "redis://:" + secret + "@[::1]:6379", "rediss://" + secret + "@10.0.0.1/0?db=1",
                                      "unix://u:" + secret + "@/run/redis.sock?db=2"};
  static const char odd[] = ":/?#[]@!$&'()*+,;=%0aZ \t\r\n\x80\xff";
  auto below = [&](std::size_t end) { return random() % end; };
  auto s = whole[below(std::size(whole))];
  for (auto n = below(5); n > 0 && !s.empty(); --n) {
    auto at = below(s.size());
    switch (below(5)) {
      case 0:
        s[at] = odd[below(sizeof odd)];
        break;  // the NUL at the end too
      case 1:
        s.insert(at, 1, odd[below(sizeof odd)]);
        break;
      case 2:
        s.erase(at, 1 + below(6));
        break;
      case 3:
        s.insert(at, s.substr(below(s.size()), below(12)));
        break;
      case 4:
        s.insert(at, "%" + std::string(1, "0123456789abcdefg"[below(17)]) + std::string(1, "0123456789ABCDEFG"[below(17)]));
        break;
    }
  }
  return s;
}

}  // namespace

TEST_CASE("every damaged URL is read or refused with one line that keeps the password") {
  const char *more = std::getenv("FUZZ_ROUNDS");
  unsigned rounds = more ? static_cast<unsigned>(std::strtoul(more, nullptr, 10)) : 200000;
  unsigned accepted = 0, refused = 0;
  for (unsigned seed = 0; seed < rounds; ++seed) {
    std::mt19937 random(seed);
    auto url = damaged(random);
    auto r = parse_redis_url(url);
    CAPTURE(seed);
    CAPTURE(url);
    if (r) {
      ++accepted;
      REQUIRE_FALSE(r->host.empty());
      REQUIRE(r->port != 0);
      REQUIRE(r->password.find('\0') == std::string::npos);
    } else {
      ++refused;
      REQUIRE(r.error().is(status::invalid));
      REQUIRE(r.error().message().find("Zq7Zq") == std::string::npos);
      for (unsigned char c : r.error().message()) REQUIRE((c >= 0x20 && c != 0x7f));
    }
  }
  CHECK(accepted > rounds / 20);
  CHECK(refused > rounds / 20);
}
