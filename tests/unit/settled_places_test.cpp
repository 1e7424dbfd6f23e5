#include "queue/native/settled_places.hpp"

#include <doctest/doctest.h>

using namespace corbel::detail;

namespace {

std::shared_ptr<const claim_source> claim(const char *name) {
  return std::make_shared<const claim_source>(claim_source{name, {}, {}});
}

settle_entry entry(const std::shared_ptr<const claim_source> &of, std::uint32_t place) {
  claimed_message m;
  m.source = of;
  m.place = place;
  return {.message = std::make_shared<const claimed_message>(std::move(m)), .due = {}, .reason = {}};
}

}  // namespace

TEST_CASE("places are told by claim, in runs, and known again by entry") {
  const auto a = claim("a"), b = claim("b");
  const std::vector<settle_entry> entries{entry(a, 3), entry(b, 7), entry(a, 0), entry(a, 1), entry(a, 4)};
  const auto all = places_by_claim(entries);
  REQUIRE(all.size() == 2);
  CHECK(all[0].name == "a");
  CHECK(all[0].text() == "0-1,3-4");
  CHECK(all[1].name == "b");
  CHECK(all[1].text() == "7-7");
  CHECK(all[0].entries == std::vector<std::pair<std::uint32_t, std::size_t>>{{0, 2}, {1, 3}, {3, 0}, {4, 4}});
}

TEST_CASE("no entries name no claim") { CHECK(places_by_claim({}).empty()); }
