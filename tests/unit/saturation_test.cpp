#include "pool/saturation.hpp"

#include <doctest/doctest.h>

#include <string>

using corbel::detail::saturation;

namespace {
/// One letter a look: f for full. What each said: none -, begun B, goes on g, ended E.
std::string says(const std::string &looks) {
  saturation s;
  std::string out;
  for (char c : looks) {
    const auto news = s.look(c == 'f');
    out += news == saturation::news::none      ? '-'
           : news == saturation::news::begun   ? 'B'
           : news == saturation::news::goes_on ? 'g'
                                               : 'E';
  }
  return out + (s.is_over() ? "." : "");
}
}  // namespace

TEST_CASE("three full looks in a row begin it, four others end it") {
  CHECK(says("") == ".");
  CHECK(says("ff") == "--");
  CHECK(says("ff_") == "---.");
  CHECK(says("ff_fff") == "-----B");
  CHECK(says("ffff___ff____") == "--BgggggggggE.");
  CHECK(says("fff____fff") == "--BgggE--B");
}
