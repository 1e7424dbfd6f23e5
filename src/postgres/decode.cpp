// Binary fields to values (src/backend/utils/adt, the ..._send functions), and both formats of the simplest types.
#include "postgres/decode_text.hpp"

#include <corbel/detail/pg_decode.hpp>

#include <fmt/format.h>

#include <bit>

namespace corbel::detail {

std::uint64_t read_big_endian(std::string_view bytes) noexcept {
  std::uint64_t value = 0;
  for (char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

error pg_null_error() { return error(status::invalid, "the value is NULL: read it as std::optional", "postgres", "NULL"); }

error pg_dimensions_error(std::size_t dimensions) {
  return error(status::invalid, fmt::format("the array has {} dimensions: read it as pg_array", dimensions), "postgres",
               "TYPE");
}

error wrong_type(const pg_field &f, const char *wanted) {
  return error(status::invalid, fmt::format("the value is of type {}, not {}", f.type, wanted), "postgres", "TYPE");
}

error malformed(const pg_field &f, const char *wanted) {
  return error(status::invalid,
               fmt::format("{} bytes of {} format are no {}", f.bytes.size(), f.is_binary ? "binary" : "text", wanted),
               "postgres", "VALUE");
}

namespace {

constexpr std::int64_t epoch_microseconds = 946684800000000;
constexpr std::int32_t epoch_days = 10957;

template <class T>
error decode_integer(const pg_field &f, T &out, const char *wanted) {
  if (f.is_null) return pg_null_error();
  if (!f.is_binary) return parse_integer(f, out, wanted);
  const std::size_t size = f.type == pg_oid::int2                            ? 2
                           : f.type == pg_oid::int4 || f.type == pg_oid::oid ? 4
                           : f.type == pg_oid::int8                          ? 8
                                                                             : 0;
  if (size == 0) return wrong_type(f, wanted);
  if (f.bytes.size() != size) return malformed(f, wanted);
  const auto raw = read_big_endian(f.bytes);
  const std::int64_t value = f.type == pg_oid::oid ? static_cast<std::int64_t>(raw)
                             : size == 2           ? static_cast<std::int16_t>(raw)
                             : size == 4           ? static_cast<std::int32_t>(raw)
                                                   : static_cast<std::int64_t>(raw);
  out = static_cast<T>(value);
  if (static_cast<std::int64_t>(out) != value)
    return error(status::invalid, fmt::format("{} does not fit into {}", value, wanted), "postgres", "RANGE");
  return {};
}

template <class T>
error decode_float(const pg_field &f, T &out, const char *wanted) {
  if (f.is_null) return pg_null_error();
  if (!f.is_binary) return parse_float(f, out, wanted);
  if (f.type == pg_oid::float4 && f.bytes.size() == 4) {
    out = static_cast<T>(std::bit_cast<float>(static_cast<std::uint32_t>(read_big_endian(f.bytes))));
  } else if (f.type == pg_oid::float8 && f.bytes.size() == 8) {
    const auto value = std::bit_cast<double>(read_big_endian(f.bytes));
    out = static_cast<T>(value);
    if (sizeof(T) < 8 && value == value && static_cast<double>(out) != value)
      return error(status::invalid, "a float8 does not fit into float: read it as double", "postgres", "RANGE");
  } else {
    return f.type == pg_oid::float4 || f.type == pg_oid::float8 ? malformed(f, wanted) : wrong_type(f, wanted);
  }
  return {};
}

}  // namespace

error pg_decode(const pg_field &f, bool &out) {
  if (f.is_null) return pg_null_error();
  if (f.type != pg_oid::boolean) return wrong_type(f, "bool");
  if (f.bytes.size() != 1) return malformed(f, "bool");
  if (f.is_binary ? f.bytes[0] > 1 || f.bytes[0] < 0 : f.bytes[0] != 't' && f.bytes[0] != 'f') return malformed(f, "bool");
  out = f.is_binary ? f.bytes[0] != 0 : f.bytes[0] == 't';
  return {};
}

error pg_decode(const pg_field &f, std::int16_t &out) { return decode_integer(f, out, "int16"); }
error pg_decode(const pg_field &f, std::int32_t &out) { return decode_integer(f, out, "int32"); }
error pg_decode(const pg_field &f, std::int64_t &out) { return decode_integer(f, out, "int64"); }
error pg_decode(const pg_field &f, std::uint32_t &out) { return decode_integer(f, out, "uint32"); }
error pg_decode(const pg_field &f, float &out) { return decode_float(f, out, "float"); }
error pg_decode(const pg_field &f, double &out) { return decode_float(f, out, "double"); }

error pg_decode(const pg_field &f, std::string_view &out) {
  if (f.is_null) return pg_null_error();
  out = f.bytes;
  if (!f.is_binary) return {};
  switch (f.type) {
    case pg_oid::jsonb:
      if (out.empty() || out[0] != 1) return malformed(f, "jsonb");
      out.remove_prefix(1);  // its version
      return {};
    case pg_oid::text:
    case pg_oid::varchar:
    case pg_oid::bpchar:
    case pg_oid::name:
    case pg_oid::json:
    case 705:  // unknown
    case 142:  // xml
      return {};
    default:
      return wrong_type(f, "text (in binary format)");
  }
}

error pg_decode(const pg_field &f, std::string &out) {
  if (!f.is_null && f.is_binary && f.type == pg_oid::numeric) {
    pg_numeric n;
    auto why = pg_decode(f, n);
    out = std::move(n.text);
    return why;
  }
  if (!f.is_null && f.is_binary && f.type == pg_oid::uuid) {
    pg_uuid u;
    auto why = pg_decode(f, u);
    out = u.text();
    return why;
  }
  std::string_view view;
  if (auto why = pg_decode(f, view)) return why;
  out = view;
  return {};
}

error pg_decode(const pg_field &f, pg_json &out) {
  if (f.is_null) return pg_null_error();
  if (f.type != pg_oid::json && f.type != pg_oid::jsonb) return wrong_type(f, "json");
  return pg_decode(f, out.text);
}

error pg_decode(const pg_field &f, pg_bytea &out) {
  if (f.is_null) return pg_null_error();
  if (f.type != pg_oid::bytea) return wrong_type(f, "bytea");
  if (!f.is_binary) return parse_bytea(f, out);
  out.bytes = f.bytes;
  return {};
}

error pg_decode(const pg_field &f, pg_uuid &out) {
  if (f.is_null) return pg_null_error();
  if (f.type != pg_oid::uuid) return wrong_type(f, "uuid");
  if (!f.is_binary) return parse_uuid(f, out);
  if (f.bytes.size() != 16) return malformed(f, "uuid");
  for (std::size_t i = 0; i < 16; ++i) out.bytes[i] = static_cast<std::uint8_t>(f.bytes[i]);
  return {};
}

error pg_decode(const pg_field &f, std::chrono::sys_days &out) {
  if (f.is_null) return pg_null_error();
  if (f.type != pg_oid::date) return wrong_type(f, "date");
  if (!f.is_binary) return parse_date(f, out);
  if (f.bytes.size() != 4) return malformed(f, "date");
  const auto days = static_cast<std::int32_t>(read_big_endian(f.bytes));
  out = days == INT32_MAX   ? std::chrono::sys_days::max()
        : days == INT32_MIN ? std::chrono::sys_days::min()
                            : std::chrono::sys_days(std::chrono::days(std::int64_t{days} + epoch_days));
  return {};
}

error pg_decode(const pg_field &f, pg_time_point &out) {
  if (f.is_null) return pg_null_error();
  if (f.type != pg_oid::timestamptz && f.type != pg_oid::timestamp) return wrong_type(f, "timestamptz");
  if (!f.is_binary) return parse_timestamp(f, out);
  if (f.bytes.size() != 8) return malformed(f, "timestamptz");
  const auto count = static_cast<std::int64_t>(read_big_endian(f.bytes));
  if (count == INT64_MAX || count == INT64_MIN) {
    out = count > 0 ? pg_time_point::max() : pg_time_point::min();
    return {};
  }
  if (count > INT64_MAX - epoch_microseconds) return malformed(f, "timestamptz");
  out = pg_time_point(std::chrono::microseconds(count + epoch_microseconds));
  return {};
}

error pg_decode(const pg_field &f, pg_interval &out) {
  if (f.is_null) return pg_null_error();
  if (f.type != pg_oid::interval) return wrong_type(f, "interval");
  if (!f.is_binary) return parse_interval(f, out);
  if (f.bytes.size() != 16) return malformed(f, "interval");
  out.microseconds = static_cast<std::int64_t>(read_big_endian(f.bytes.substr(0, 8)));
  out.days = static_cast<std::int32_t>(read_big_endian(f.bytes.substr(8, 4)));
  out.months = static_cast<std::int32_t>(read_big_endian(f.bytes.substr(12, 4)));
  return {};
}

}  // namespace corbel::detail
