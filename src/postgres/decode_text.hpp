#pragma once
/// Owns: reading values in text format: what the ..._out functions of PostgreSQL write with DateStyle ISO and IntervalStyle
/// postgres, its defaults. Pure.

#include <corbel/detail/pg_decode.hpp>

#include <charconv>

namespace corbel::detail {

std::uint64_t read_big_endian(std::string_view bytes) noexcept;
error wrong_type(const pg_field &f, const char *wanted);
error malformed(const pg_field &f, const char *wanted);

template <class T>
error parse_integer(const pg_field &f, T &out, const char *wanted) {
  const auto [end, ec] = std::from_chars(f.bytes.data(), f.bytes.data() + f.bytes.size(), out);
  if (ec != std::errc() || end != f.bytes.data() + f.bytes.size()) return malformed(f, wanted);
  return {};
}
template <class T>
error parse_float(const pg_field &f, T &out, const char *wanted) {
  // NaN and Infinity are read too, in any case.
  const auto [end, ec] = std::from_chars(f.bytes.data(), f.bytes.data() + f.bytes.size(), out);
  if (ec != std::errc() || end != f.bytes.data() + f.bytes.size()) return malformed(f, wanted);
  return {};
}
error parse_bytea(const pg_field &f, pg_bytea &out);
error parse_uuid(const pg_field &f, pg_uuid &out);
error parse_date(const pg_field &f, std::chrono::sys_days &out);
error parse_timestamp(const pg_field &f, pg_time_point &out);
error parse_interval(const pg_field &f, pg_interval &out);

}  // namespace corbel::detail
