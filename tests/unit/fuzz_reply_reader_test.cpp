// Random and damaged RESP through the reply reader, in random slices: it never reads outside, never passes a limit, always
// ends. The same seeds in every run; FUZZ_ROUNDS in the environment makes it longer.
#include "redis/protocol/reply_reader.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

using namespace corbel;

namespace {

using generator = std::mt19937;

unsigned rounds(unsigned usual) {
  const char *more = std::getenv("FUZZ_ROUNDS");
  return more ? static_cast<unsigned>(std::strtoul(more, nullptr, 10)) : usual;
}

std::size_t below(generator &random, std::size_t end) { return random() % end; }

std::string bytes(generator &random, std::size_t most) {
  std::string s(below(random, most + 1), '\0');
  for (auto &c : s) c = static_cast<char>(random());
  return s;
}

/// One well-formed reply, nested at most so deep.
std::string reply(generator &random, int depth) {
  switch (below(random, depth > 0 ? 8 : 6)) {
    case 0:
      return "+OK " + std::to_string(random()) + "\r\n";
    case 1:
      return "-ERR text\r\n";
    case 2:
      return ":" + std::to_string(static_cast<std::int64_t>(random()) * (below(random, 2) ? 1 : -2147483648LL)) + "\r\n";
    case 3:
      return "$-1\r\n";
    case 4:
      return "*-1\r\n";
    case 5: {
      auto s = bytes(random, below(random, 20) ? 40 : 20000);
      return "$" + std::to_string(s.size()) + "\r\n" + s + "\r\n";
    }
    default: {
      auto n = below(random, 6);
      std::string s = "*" + std::to_string(n) + "\r\n";
      for (std::size_t i = 0; i < n; ++i) s += reply(random, depth - 1);
      return s;
    }
  }
}

void damage(generator &random, std::string &s) {
  static const char *tokens[] = {"\r\n",
                                 "$",
                                 "*",
                                 "+",
                                 "-",
                                 ":",
                                 "$-1\r\n",
                                 "*-1\r\n",
                                 "*2147483647\r\n",
                                 "$2147483647\r\n",
                                 "*-2\r\n",
                                 "$-2\r\n",
                                 ":9223372036854775808\r\n",
                                 "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
                                 "\0"};
  for (auto n = 1 + below(random, 4); n > 0 && !s.empty(); --n) {
    auto at = below(random, s.size());
    switch (below(random, 6)) {
      case 0:
        s[at] = static_cast<char>(s[at] ^ (1 << below(random, 8)));
        break;
      case 1:
        s[at] = static_cast<char>(random());
        break;
      case 2:
        s.erase(at, 1 + below(random, 8));
        break;
      case 3:
        s.insert(at, s.substr(below(random, s.size()), below(random, 32)));
        break;
      case 4:
        s.insert(at, tokens[below(random, std::size(tokens))]);
        break;
      case 5:
        s.resize(at);
        break;
    }
  }
}

struct outcome {
  std::vector<redis_reply> replies;
  error failed;
};

outcome read(generator &random, const std::string &input, const reply_limits &limits, bool sliced) {
  reply_reader reader(limits);
  outcome out;
  for (std::size_t at = 0; at < input.size() && !out.failed;) {
    auto n = sliced ? std::min(input.size() - at, 1 + below(random, below(random, 2) ? 3 : 5000)) : input.size();
    reader.feed(input.data() + at, n);
    at += n;
    for (;;) {
      redis_reply r;
      auto what = reader.next(r, out.failed);
      if (what != reply_reader::outcome::reply) break;
      out.replies.push_back(std::move(r));
      REQUIRE(out.replies.size() <= input.size());
    }
  }
  return out;
}

struct size_of {
  std::size_t elements = 0, bytes = 0, depth = 0;
};

void measure(const redis_node &n, std::size_t depth, size_of &sum) {
  sum.depth = std::max(sum.depth, depth);
  sum.bytes += n.text().size();
  for (unsigned char c : n.text()) sum.bytes += c & 0u;  // touches every byte, for the sanitizers
  sum.elements += n.elements().size();
  for (auto &e : n.elements()) measure(e, depth + 1, sum);
}

bool equal(const redis_node &a, const redis_node &b) {
  if (a.type() != b.type() || a.text() != b.text() || a.integer() != b.integer() ||
      a.elements().size() != b.elements().size())
    return false;
  for (std::size_t i = 0; i < a.elements().size(); ++i) {
    if (!equal(a[i], b[i])) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("well-formed replies are read the same, however they are sliced") {
  for (unsigned seed = 0; seed < rounds(3000); ++seed) {
    generator random(seed);
    std::string input;
    auto n = 1 + below(random, 5);
    for (std::size_t i = 0; i < n; ++i) input += reply(random, 5);
    CAPTURE(seed);
    auto whole = read(random, input, {}, false), sliced = read(random, input, {}, true);
    REQUIRE_FALSE(whole.failed);
    REQUIRE_FALSE(sliced.failed);
    REQUIRE(whole.replies.size() == n);
    REQUIRE(sliced.replies.size() == n);
    for (std::size_t i = 0; i < n; ++i) REQUIRE(equal(*whole.replies[i], *sliced.replies[i]));
  }
}

TEST_CASE("damaged replies end in replies within the limits, or in PROTOCOL with one printable line") {
  const reply_limits limits{.bytes = 8000, .elements = 50, .depth = 7};
  unsigned failed = 0, read_on = 0;
  for (unsigned seed = 0; seed < rounds(30000); ++seed) {
    generator random(seed);
    std::string input = reply(random, 5) + reply(random, 3);
    damage(random, input);
    CAPTURE(seed);
    auto out = read(random, input, limits, true);
    for (auto &r : out.replies) {
      size_of sum;
      measure(*r, 0, sum);
      REQUIRE(sum.elements <= limits.elements);
      REQUIRE(sum.bytes <= limits.bytes + 4096);
      REQUIRE(sum.depth <= limits.depth + 1);
    }
    read_on += !out.replies.empty();
    if (!out.failed) continue;
    ++failed;
    REQUIRE(out.failed.is(status::protocol));
    REQUIRE_FALSE(out.failed.message().empty());
    for (unsigned char c : out.failed.message()) REQUIRE((c >= 0x20 && c < 0x7f));
  }
  CHECK(failed > 100);
  CHECK(read_on > 100);
}

TEST_CASE("noise") {
  for (unsigned seed = 0; seed < rounds(20000); ++seed) {
    generator random(seed);
    auto input = bytes(random, 300);
    if (!input.empty() && seed % 2) input[0] = "+-:$*"[below(random, 5)];
    read(random, input, {.bytes = 200, .elements = 10, .depth = 7}, true);
  }
}
