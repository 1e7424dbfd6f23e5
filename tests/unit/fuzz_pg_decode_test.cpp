// The readers of values: any bytes as any type, in both formats, give a value or an error, and never read past their end.
#include <corbel/detail/pg_decode.hpp>
#include <corbel/detail/pg_encode.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <random>

using namespace corbel;
using namespace corbel::detail;

namespace {

constexpr std::uint32_t types[] = {16,   17,   19,   20,   21,   23,   25,   26,   114,  700,  701,  1007, 1009,
                                   1016, 1082, 1114, 1184, 1185, 1186, 1231, 1700, 2950, 2951, 3802, 3807};

template <class T>
void read(const pg_field &f) {
  T value{};
  if (auto why = pg_decode(f, value)) CHECK(why.is(status::invalid));
}

void read_as_all(const pg_field &f) {
  read<bool>(f);
  read<std::int16_t>(f);
  read<std::int64_t>(f);
  read<float>(f);
  read<double>(f);
  read<std::string>(f);
  read<pg_numeric>(f);
  read<pg_bytea>(f);
  read<pg_uuid>(f);
  read<std::chrono::sys_days>(f);
  read<pg_time_point>(f);
  read<pg_interval>(f);
  read<pg_json>(f);
  read<std::vector<std::optional<int>>>(f);
  read<pg_array<std::string>>(f);
  read<std::vector<pg_numeric>>(f);
}

/// In memory of exactly its size, so that a sanitizer sees a read past the end.
void read_exact(const std::string &bytes, std::uint32_t type, bool binary) {
  const auto copy = std::make_unique<char[]>(bytes.size());
  std::memcpy(copy.get(), bytes.data(), bytes.size());
  read_as_all({std::string_view(copy.get(), bytes.size()), type, false, binary});
}

}  // namespace

TEST_CASE("random bytes as binary of every type") {
  std::minstd_rand random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(random() % 40, '\0');
    for (char &c : bytes) c = static_cast<char>(random() % (i % 2 == 0 ? 256 : 4));
    read_exact(bytes, types[random() % std::size(types)], true);
  }
}

TEST_CASE("changed values in both formats") {
  std::vector<std::string> seeds{"2024-02-29 12:00:00.25+05:30",
                                 "infinity",
                                 "-4713-01-01 BC",
                                 "1 year 2 mons -3 days 04:05:06.789",
                                 "{1,NULL,\"a\\\"b\"}",
                                 "[0:1]={{1,2},{3,4}}",
                                 "-12345.6789",
                                 "NaN",
                                 "\\x00ff",
                                 "\\001\\\\a",
                                 "123e4567-e89b-12d3-a456-426614174000",
                                 "t",
                                 "{}"};
  std::string binary;
  pg_encode(binary, std::vector<std::optional<int>>{1, std::nullopt, 3});
  seeds.push_back(std::exchange(binary, {}));
  pg_encode(binary, pg_array<std::string>{{2, 2}, {"a", "b", "c", "d"}});
  seeds.push_back(std::exchange(binary, {}));
  seeds.push_back(std::string("\0\2\0\1\0\0\0\3\0\1\0\2", 12));  // numeric
  for (unsigned seed = 0; seed < 20000; ++seed) {
    std::minstd_rand random(seed);
    auto text = seeds[random() % seeds.size()];
    for (auto changes = random() % 4; changes > 0 && !text.empty(); --changes) {
      const auto at = random() % text.size();
      if (random() % 3 == 0)
        text.erase(at, random() % 4 + 1);
      else if (random() % 2 == 0)
        text[at] = static_cast<char>(random() % 256);
      else
        text.insert(at, 1, "0123456789{},\"\\-:. +"[random() % 20]);
    }
    CAPTURE(seed);
    read_exact(text, types[random() % std::size(types)], random() % 2 == 0);
  }
}
