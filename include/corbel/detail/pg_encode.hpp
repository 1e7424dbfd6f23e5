#pragma once
/// From a C++ value to a parameter: its bytes are appended; its type and format are returned. Numbers, bool, bytea, uuid,
/// dates, times and intervals go as binary with their type; text, numeric and json go as text, and plain text has no type,
/// so that the server infers it from the statement. An array of text, numeric or json goes as text[]: cast it,
/// $1::numeric[]. Pure; any thread.

#include <corbel/pg_value.hpp>

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corbel::detail {

struct pg_encoding {
  std::uint32_t type = 0;  // oid; 0: inferred
  bool is_binary = false, is_null = false;
};

pg_encoding pg_encode(std::string &out, bool value);
pg_encoding pg_encode_integer(std::string &out, std::int64_t value, std::size_t size);
pg_encoding pg_encode(std::string &out, float value);
pg_encoding pg_encode(std::string &out, double value);
pg_encoding pg_encode(std::string &out, std::string_view value);
pg_encoding pg_encode(std::string &out, const pg_numeric &value);
pg_encoding pg_encode(std::string &out, const pg_bytea &value);
pg_encoding pg_encode(std::string &out, const pg_uuid &value);
pg_encoding pg_encode(std::string &out, std::chrono::sys_days value);
pg_encoding pg_encode(std::string &out, pg_time_point value);
pg_encoding pg_encode(std::string &out, const pg_interval &value);
pg_encoding pg_encode(std::string &out, const pg_json &value);  // jsonb or json: inferred
inline pg_encoding pg_encode(std::string &, std::nullopt_t) { return {0, false, true}; }

/// Signed and unsigned integers of up to 32 bits, and signed ones of 64: as the smallest of int2, int4, int8 that holds
/// their type. Unsigned 64 bits have no type here: use pg_numeric.
template <std::integral T>
requires(!std::same_as<T, bool> && (sizeof(T) < 8 || std::is_signed_v<T>)) pg_encoding pg_encode(std::string &out, T value) {
  constexpr std::size_t size = sizeof(T) + (std::is_signed_v<T> ? 0 : 1);
  return pg_encode_integer(out, static_cast<std::int64_t>(value), size <= 2 ? 2 : size <= 4 ? 4 : 8);
}
inline pg_encoding pg_encode(std::string &out, const char *value) { return pg_encode(out, std::string_view(value)); }
inline pg_encoding pg_encode(std::string &out, const std::string &value) { return pg_encode(out, std::string_view(value)); }

template <class T>
pg_encoding pg_encode(std::string &out, const std::optional<T> &value);

/// The array's header; then each element with begin/end. element: the elements' type, of which the array's is derived.
void pg_begin_array(std::string &out, const std::vector<std::int32_t> &dimensions, bool has_null, std::uint32_t element);
std::size_t pg_begin_element(std::string &out);
void pg_end_element(std::string &out, std::size_t begun, bool is_null);
std::uint32_t pg_array_type(std::uint32_t element) noexcept;

template <class T>
pg_encoding pg_encode_elements(std::string &out, const std::vector<std::int32_t> &dimensions, const std::vector<T> &values) {
  std::string first;
  std::uint32_t element = pg_oid::text;
  bool has_null = false;
  for (const auto &v : values) {
    first.clear();
    const auto e = pg_encode(first, static_cast<const T &>(v));
    has_null = has_null || e.is_null;
    if (!e.is_null) element = e.type != 0 ? e.type : pg_oid::text;
  }
  if (values.empty()) {
    if constexpr (std::is_default_constructible_v<T>)
      if (const auto e = pg_encode(first, T{}); e.type != 0) element = e.type;
  }
  pg_begin_array(out, dimensions, has_null, element);
  for (const auto &v : values) {
    const auto begun = pg_begin_element(out);
    const auto e = pg_encode(out, static_cast<const T &>(v));
    pg_end_element(out, begun, e.is_null);
  }
  return {pg_array_type(element), true, false};
}
template <class T>
pg_encoding pg_encode(std::string &out, const std::vector<T> &values) {
  return pg_encode_elements(
      out,
      values.empty() ? std::vector<std::int32_t>() : std::vector<std::int32_t>{static_cast<std::int32_t>(values.size())},
      values);
}
template <class T>
pg_encoding pg_encode(std::string &out, const pg_array<T> &value) {
  return pg_encode_elements(out, value.dimensions, value.values);
}
template <class T>
pg_encoding pg_encode(std::string &out, const std::optional<T> &value) {
  return value ? pg_encode(out, *value) : pg_encoding{0, false, true};
}

}  // namespace corbel::detail
