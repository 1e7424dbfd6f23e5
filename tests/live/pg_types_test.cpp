// Every type there and back, as text and as binary.
#include "support/pg_calls.hpp"
#include "support/postgres_server.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono;

namespace {

struct fixture {
  postgres_server server;
  runtime rt;
  pg_pool pool{rt, {.conninfo = server.url()}};

  /// The value as the server gives it back in both formats; cast is the type.
  template <class T>
  void round_trip(const std::string &cast, const T &value) {
    for (bool binary : {false, true}) {
      CAPTURE(cast);
      CAPTURE(binary);
      pg_statement s("SELECT $1::" + cast);
      s.push(value);
      if (binary) s.binary_result();
      auto r = ask(pool, std::move(s));
      REQUIRE_MESSAGE(r, said(r.error()));
      CHECK(r->is_binary(0) == binary);
      auto read = r->read<T>(0, 0);
      REQUIRE_MESSAGE(read, read.error().message());
      CHECK(*read == value);
    }
  }
  /// What the server writes for an expression, read in both formats.
  template <class T>
  T read(const std::string &expression, bool binary) {
    pg_statement s("SELECT " + expression);
    if (binary) s.binary_result();
    auto r = ask(pool, std::move(s));
    REQUIRE_MESSAGE(r, said(r.error()));
    auto value = r->read<T>(0, 0);
    REQUIRE_MESSAGE(value, expression << ": " << value.error().message());
    return *value;
  }
};

sys_days day(int y, unsigned m, unsigned d) { return year(y) / month(m) / std::chrono::day(d); }

}  // namespace

TEST_CASE_FIXTURE(fixture, "numbers and bool") {
  for (bool b : {true, false}) round_trip("bool", b);
  for (auto n : {0, 1, -1, 32767, -32768}) round_trip("int2", static_cast<std::int16_t>(n));
  for (auto n : {0, 1, -1, INT32_MAX, INT32_MIN}) round_trip("int4", n);
  for (auto n : {std::int64_t{0}, INT64_MAX, INT64_MIN}) round_trip("int8", n);
  for (auto d : {0.0, 1.5, -0.1, 1e300, 5e-324, std::numeric_limits<double>::infinity()}) round_trip("float8", d);
  for (auto f : {0.0f, 1.5f, -0.1f, 3.4e38f, -std::numeric_limits<float>::infinity()}) round_trip("float4", f);
  for (bool binary : {false, true}) {
    CHECK(std::isnan(read<double>("'NaN'::float8", binary)));
    CHECK(read<std::int64_t>("7::int2", binary) == 7);
    CHECK(read<std::uint32_t>("'pg_type'::regclass::oid", binary) == 1247);
  }
}

TEST_CASE_FIXTURE(fixture, "what does not fit is refused, not cut") {
  auto r = ask(pool, pg_statement("SELECT 70000::int4, 1::int8, 'x'::text, NULL::int4").binary_result());
  REQUIRE(r);
  CHECK(r->read<std::int16_t>(0, 0).error().is(status::invalid));
  CHECK(r->read<bool>(0, 1).error().is(status::invalid));
  CHECK(r->read<int>(0, 2).error().is(status::invalid));
  CHECK(r->read<int>(0, 3).error().native() == "NULL");
  CHECK(r->read<int>(1, 0).error().is(status::invalid));
  CHECK(r->read<int>(0, 9).error().is(status::invalid));
  CHECK_THROWS_AS(r->get<int>(0, 3), failure);
  CHECK_FALSE(r->get<std::optional<int>>(0, 3).has_value());
}

TEST_CASE_FIXTURE(fixture, "text, bytea, uuid, json") {
  for (const std::string &s :
       {std::string(), std::string("plain"), std::string("\"quoted\" \\ {,} NULL"), std::string("zażółć 漢")})
    round_trip("text", s);
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  round_trip("bytea", pg_bytea{bytes});
  round_trip("bytea", pg_bytea{});
  round_trip("uuid",
             pg_uuid{{0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0x00}});
  for (bool binary : {false, true}) {
    CHECK(read<pg_uuid>("'123e4567-e89b-12d3-a456-426614174000'::uuid", binary).text() ==
          "123e4567-e89b-12d3-a456-426614174000");
    CHECK(read<std::string>("'123e4567-e89b-12d3-a456-426614174000'::uuid", binary) ==
          "123e4567-e89b-12d3-a456-426614174000");
  }
  round_trip("json", pg_json{R"({"b" :  1, "a": [null]})"});
  round_trip("jsonb", pg_json{R"({"a": [null], "b": 1})"});
  auto lease = take(pool).value();
  REQUIRE(ask(lease, "SET bytea_output = escape"));
  auto r = ask(lease, "SELECT '\\x005c41ff'::bytea");
  CHECK(r->get<pg_bytea>(0, 0).bytes == std::string("\0\\A\xff", 4));
}

TEST_CASE_FIXTURE(fixture, "numeric is exact decimal text") {
  for (auto text :
       {"0", "1", "-1", "0.1", "-0.0001", "12345678901234567890.123456789", "10000", "100000000", "0.00000000000001", "1.10",
        "99999999", "-9999.9999", "1000000000000000000000000000000", "0.000", "NaN", "Infinity", "-Infinity"})
    round_trip("numeric", pg_numeric{text});
  for (bool binary : {false, true}) {
    CHECK(read<pg_numeric>("1e100::numeric", binary).text == "1" + std::string(100, '0'));
    CHECK(read<pg_numeric>("(1e-20)::numeric", binary).text == "0.00000000000000000001");
    CHECK(read<std::string>("12.340::numeric", binary) == "12.340");
  }
}

TEST_CASE_FIXTURE(fixture, "dates and times") {
  for (auto d : {day(1970, 1, 1), day(2000, 2, 29), day(1, 1, 1), day(-4000, 3, 1), day(9999, 12, 31), sys_days::max(),
                 sys_days::min()})
    round_trip("date", d);
  for (auto t : {pg_time_point(day(2000, 1, 1)), pg_time_point(day(1969, 12, 31)) + 86399999999us,
                 pg_time_point(day(-4000, 3, 1)) + 1us, pg_time_point(day(12345, 6, 7)) + 12h, pg_time_point::max(),
                 pg_time_point::min()})
    round_trip("timestamptz", t);
  auto lease = take(pool).value();
  for (auto zone : {"UTC", "Asia/Kolkata", "America/St_Johns", "Africa/Monrovia"}) {
    REQUIRE(ask(lease, pg_statement("SELECT set_config('TimeZone', $1, false)", zone)));
    for (auto when : {"1901-05-06 07:08:09.5+00", "2024-12-31 23:59:59.999999+00"}) {
      CAPTURE(zone);
      auto as_text = ask(lease, pg_statement("SELECT $1::timestamptz", when));
      auto as_binary = ask(lease, pg_statement("SELECT $1::timestamptz", when).binary_result());
      CHECK(as_text->get<pg_time_point>(0, 0) == as_binary->get<pg_time_point>(0, 0));
    }
  }
  for (bool binary : {false, true})
    CHECK(read<pg_time_point>("'2024-02-29 12:00:00.25'::timestamp", binary) ==
          pg_time_point(day(2024, 2, 29)) + 12h + 250ms);
}

TEST_CASE_FIXTURE(fixture, "intervals keep their three parts") {
  for (const auto &i : {pg_interval{}, pg_interval{14, 3, 14706789000}, pg_interval{-1, -2, -3000000}, pg_interval{0, 0, 1},
                        pg_interval{25, 0, -1}, pg_interval{0, 400, 360000000000}, pg_interval{-13, 5, 0}})
    round_trip("interval", i);
}

TEST_CASE_FIXTURE(fixture, "arrays") {
  round_trip("int4[]", std::vector<int>{1, -2, 3});
  round_trip("int4[]", std::vector<int>{});
  round_trip("int8[]", std::vector<std::optional<std::int64_t>>{1, std::nullopt, 3});
  round_trip("text[]", std::vector<std::string>{"a", "", "NULL", "with \"quotes\", {braces} and \\"});
  round_trip("text[]", std::vector<std::optional<std::string>>{"a", std::nullopt});
  round_trip("bool[]", std::vector<bool>{true, false});
  round_trip("float8[]", std::vector<double>{1.5, -2});
  round_trip("uuid[]", std::vector<pg_uuid>{pg_uuid{}, pg_uuid{{1, 2, 3}}});
  round_trip("date[]", std::vector<sys_days>{day(2024, 1, 2)});
  round_trip("timestamptz[]", std::vector<pg_time_point>{pg_time_point(day(2024, 1, 2)) + 1h});
  round_trip("interval[]", std::vector<pg_interval>{{1, 2, 3}});
  round_trip("bytea[]", std::vector<pg_bytea>{{std::string("\0\\\"", 3)}});
  round_trip("numeric[]", std::vector<pg_numeric>{{"1.10"}, {"-2"}});
  round_trip("int4[]", pg_array<int>{{2, 3}, {1, 2, 3, 4, 5, 6}});
  for (bool binary : {false, true}) {
    CHECK(read<std::vector<int>>("'[0:1]={7,8}'::int4[]", binary) == std::vector<int>{7, 8});
    CHECK(read<pg_array<std::string>>("ARRAY[['a','b'],['c','d']]", binary) ==
          pg_array<std::string>{{2, 2}, {"a", "b", "c", "d"}});
    CHECK(read<std::vector<pg_json>>("ARRAY['{}'::jsonb]", binary) == std::vector<pg_json>{{"{}"}});
    pg_statement s("SELECT ARRAY[[1],[2]]");
    if (binary) s.binary_result();
    CHECK(ask(pool, std::move(s))->read<std::vector<int>>(0, 0).error().is(status::invalid));
  }
}

TEST_CASE_FIXTURE(fixture, "NULL of every kind of parameter") {
  auto r = ask(pool, pg_statement("SELECT $1::int4, $2::text, $3::numeric", std::optional<int>(), std::nullopt,
                                  std::optional<pg_numeric>()));
  REQUIRE(r);
  for (std::size_t i = 0; i < 3; ++i) CHECK(r->is_null(0, i));
}
