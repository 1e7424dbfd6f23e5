#pragma once
/// Values of PostgreSQL that C++ has no type of its own for. Plain data; any thread.
///
/// The others: bool, std::int16_t, std::int32_t, std::int64_t, float, double, std::string (text, varchar, name, json, any
/// type in its text form), std::chrono::sys_days (date), pg_time_point (timestamptz, timestamp), std::vector<T> (arrays of
/// one dimension), std::optional<T> (NULL).

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace corbel {

/// The oids of the types that are read and written as binary (pg_type.dat of PostgreSQL).
namespace pg_oid {
inline constexpr std::uint32_t unknown = 0, boolean = 16, bytea = 17, name = 19, int8 = 20, int2 = 21, int4 = 23, text = 25,
                               oid = 26, json = 114, float4 = 700, float8 = 701, bpchar = 1042, varchar = 1043, date = 1082,
                               timestamp = 1114, timestamptz = 1184, interval = 1186, numeric = 1700, uuid = 2950,
                               jsonb = 3802;
}  // namespace pg_oid

/// timestamptz in UTC; timestamp as if it were UTC. infinity and -infinity are time_point::max() and ::min().
using pg_time_point = std::chrono::sys_time<std::chrono::microseconds>;

/// numeric as exact decimal text: "-12.340", "NaN", "Infinity". Scale and sign stay as the server has them.
struct pg_numeric {
  std::string text;
  friend bool operator==(const pg_numeric &, const pg_numeric &) = default;
};

struct pg_bytea {
  std::string bytes;
  friend bool operator==(const pg_bytea &, const pg_bytea &) = default;
};

struct pg_uuid {
  std::array<std::uint8_t, 16> bytes{};
  /// "123e4567-e89b-12d3-a456-426614174000"
  std::string text() const;
  friend bool operator==(const pg_uuid &, const pg_uuid &) = default;
};

/// The three parts that PostgreSQL keeps apart, because a month and a day have no fixed length.
struct pg_interval {
  std::int32_t months = 0, days = 0;
  std::int64_t microseconds = 0;
  friend bool operator==(const pg_interval &, const pg_interval &) = default;
};

/// json or jsonb, as its text.
struct pg_json {
  std::string text;
  friend bool operator==(const pg_json &, const pg_json &) = default;
};

/// An array of any number of dimensions, its elements in row-major order. Empty: no dimension.
template <class T>
struct pg_array {
  std::vector<std::int32_t> dimensions;
  std::vector<T> values;
  friend bool operator==(const pg_array &, const pg_array &) = default;
};

}  // namespace corbel
