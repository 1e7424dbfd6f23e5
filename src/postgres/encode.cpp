// Values to parameters: PostgreSQL's binary formats are big-endian (src/backend/utils/adt, the ..._recv functions).
#include <corbel/detail/pg_encode.hpp>

#include <bit>
#include <cstring>

namespace corbel::detail {

namespace {

template <class U>
void append_big_endian(std::string &out, U value) {
  for (int shift = static_cast<int>(sizeof(U)) * 8 - 8; shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<unsigned char>(value >> shift));
}

constexpr std::int64_t epoch_microseconds = 946684800000000;  // 2000-01-01, where PostgreSQL counts from
constexpr std::int32_t epoch_days = 10957;

}  // namespace

pg_encoding pg_encode(std::string &out, bool value) {
  out += static_cast<char>(value);
  return {pg_oid::boolean, true, false};
}

pg_encoding pg_encode_integer(std::string &out, std::int64_t value, std::size_t size) {
  if (size == 2) {
    append_big_endian(out, static_cast<std::uint16_t>(value));
    return {pg_oid::int2, true, false};
  }
  if (size == 4) {
    append_big_endian(out, static_cast<std::uint32_t>(value));
    return {pg_oid::int4, true, false};
  }
  append_big_endian(out, static_cast<std::uint64_t>(value));
  return {pg_oid::int8, true, false};
}

pg_encoding pg_encode(std::string &out, float value) {
  append_big_endian(out, std::bit_cast<std::uint32_t>(value));
  return {pg_oid::float4, true, false};
}

pg_encoding pg_encode(std::string &out, double value) {
  append_big_endian(out, std::bit_cast<std::uint64_t>(value));
  return {pg_oid::float8, true, false};
}

pg_encoding pg_encode(std::string &out, std::string_view value) {
  out += value;
  return {};
}

pg_encoding pg_encode(std::string &out, const pg_numeric &value) {
  out += value.text;
  return {pg_oid::numeric, false, false};
}

pg_encoding pg_encode(std::string &out, const pg_bytea &value) {
  out += value.bytes;
  return {pg_oid::bytea, true, false};
}

pg_encoding pg_encode(std::string &out, const pg_uuid &value) {
  out.append(reinterpret_cast<const char *>(value.bytes.data()), value.bytes.size());
  return {pg_oid::uuid, true, false};
}

pg_encoding pg_encode(std::string &out, std::chrono::sys_days value) {
  const auto days = value == std::chrono::sys_days::max() ? INT32_MAX
                    : value == std::chrono::sys_days::min()
                        ? INT32_MIN
                        : static_cast<std::int32_t>(value.time_since_epoch().count()) - epoch_days;
  append_big_endian(out, static_cast<std::uint32_t>(days));
  return {pg_oid::date, true, false};
}

pg_encoding pg_encode(std::string &out, pg_time_point value) {
  const bool is_infinite = value == pg_time_point::max() || value == pg_time_point::min();
  const auto count = value.time_since_epoch().count();
  append_big_endian(out, static_cast<std::uint64_t>(is_infinite ? count : count - epoch_microseconds));
  return {pg_oid::timestamptz, true, false};
}

pg_encoding pg_encode(std::string &out, const pg_interval &value) {
  append_big_endian(out, static_cast<std::uint64_t>(value.microseconds));
  append_big_endian(out, static_cast<std::uint32_t>(value.days));
  append_big_endian(out, static_cast<std::uint32_t>(value.months));
  return {pg_oid::interval, true, false};
}

pg_encoding pg_encode(std::string &out, const pg_json &value) {
  out += value.text;
  return {};
}

std::uint32_t pg_array_type(std::uint32_t element) noexcept {
  switch (element) {
    case pg_oid::boolean:
      return 1000;
    case pg_oid::bytea:
      return 1001;
    case pg_oid::int2:
      return 1005;
    case pg_oid::int4:
      return 1007;
    case pg_oid::int8:
      return 1016;
    case pg_oid::float4:
      return 1021;
    case pg_oid::float8:
      return 1022;
    case pg_oid::date:
      return 1182;
    case pg_oid::timestamptz:
      return 1185;
    case pg_oid::interval:
      return 1187;
    case pg_oid::uuid:
      return 2951;
    default:
      return 1009;  // text[]
  }
}

void pg_begin_array(std::string &out, const std::vector<std::int32_t> &dimensions, bool has_null, std::uint32_t element) {
  append_big_endian(out, static_cast<std::uint32_t>(dimensions.size()));
  append_big_endian(out, static_cast<std::uint32_t>(has_null));
  append_big_endian(out, pg_array_type(element) == 1009 ? pg_oid::text : element);
  for (auto d : dimensions) {
    append_big_endian(out, static_cast<std::uint32_t>(d));
    append_big_endian(out, std::uint32_t{1});  // lower bound
  }
}

std::size_t pg_begin_element(std::string &out) {
  out.append(4, '\0');
  return out.size();
}

void pg_end_element(std::string &out, std::size_t begun, bool is_null) {
  std::string size;
  append_big_endian(size, static_cast<std::uint32_t>(is_null ? -1 : static_cast<std::int32_t>(out.size() - begun)));
  std::memcpy(out.data() + begun - 4, size.data(), 4);
}

}  // namespace corbel::detail
