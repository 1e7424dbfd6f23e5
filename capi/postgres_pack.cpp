// A whole result in one piece of memory, each column in the form that its type has there, whatever the server sent.
#include "capi/postgres.hpp"

#include <corbel/detail/pg_decode.hpp>
#include <corbel/detail/pg_encode.hpp>

#include <vector>

namespace corbel::capi {

namespace {

template <class U>
void put_native(std::string &out, U value) {
  out.append(reinterpret_cast<const char *>(&value), sizeof value);
}

void put_big_endian(std::string &out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(static_cast<unsigned char>(value >> shift));
}

/// The elements' type of an array that is packed as binary; 0 for every other type.
std::uint32_t element_of(std::uint32_t array) noexcept {
  switch (array) {
    case 199:
      return pg_oid::json;
    case 1000:
      return pg_oid::boolean;
    case 1001:
      return pg_oid::bytea;
    case 1003:
      return pg_oid::name;
    case 1005:
      return pg_oid::int2;
    case 1007:
      return pg_oid::int4;
    case 1009:
      return pg_oid::text;
    case 1014:
      return pg_oid::bpchar;
    case 1015:
      return pg_oid::varchar;
    case 1016:
      return pg_oid::int8;
    case 1021:
      return pg_oid::float4;
    case 1022:
      return pg_oid::float8;
    case 1028:
      return pg_oid::oid;
    case 1115:
      return pg_oid::timestamp;
    case 1182:
      return pg_oid::date;
    case 1185:
      return pg_oid::timestamptz;
    case 1187:
      return pg_oid::interval;
    case 1231:
      return pg_oid::numeric;
    case 2951:
      return pg_oid::uuid;
    case 3807:
      return pg_oid::jsonb;
    default:
      return 0;
  }
}

enum class form : std::uint32_t { text = 0, binary = 1, as_sent = 2 };

/// numeric and json as text, the types of fixed layout as binary, all else as it is.
form form_of(std::uint32_t type) noexcept {
  switch (type) {
    case pg_oid::boolean:
    case pg_oid::bytea:
    case pg_oid::int2:
    case pg_oid::int4:
    case pg_oid::int8:
    case pg_oid::oid:
    case pg_oid::float4:
    case pg_oid::float8:
    case pg_oid::date:
    case pg_oid::timestamp:
    case pg_oid::timestamptz:
    case pg_oid::interval:
    case pg_oid::uuid:
      return form::binary;
    case pg_oid::text:
    case pg_oid::varchar:
    case pg_oid::bpchar:
    case pg_oid::name:
    case pg_oid::json:
    case pg_oid::jsonb:
    case pg_oid::numeric:
      return form::text;
    default:
      return element_of(type) != 0 ? form::binary : form::as_sent;
  }
}

template <class T>
bool convert_as(std::string &out, const detail::pg_field &f) {
  T value{};
  if (detail::pg_decode(f, value)) return false;
  detail::pg_encode(out, value);
  return true;
}

bool convert(std::string &out, const detail::pg_field &f);

bool convert_array(std::string &out, const detail::pg_field &f, std::uint32_t element) {
  std::vector<std::int32_t> dimensions;
  std::string values;
  bool has_null = false;
  const auto why = detail::pg_decode_array(f, dimensions, [&](const detail::pg_field &e) -> error {
    const auto begun = detail::pg_begin_element(values);
    has_null = has_null || e.is_null;
    if (!e.is_null && !convert(values, e)) return invalid("an element of another form");
    detail::pg_end_element(values, begun, e.is_null);
    return {};
  });
  if (why) return false;
  put_big_endian(out, static_cast<std::uint32_t>(dimensions.size()));
  put_big_endian(out, has_null ? 1 : 0);
  put_big_endian(out, element);
  for (const auto d : dimensions) {
    put_big_endian(out, static_cast<std::uint32_t>(d));
    put_big_endian(out, 1);
  }
  out += values;
  return true;
}

/// Appends a value in the form of its type; false when it cannot be read.
bool convert(std::string &out, const detail::pg_field &f) {
  const auto wanted = form_of(f.type);
  const bool is_plain = f.type == pg_oid::text || f.type == pg_oid::varchar || f.type == pg_oid::bpchar ||
                        f.type == pg_oid::name || f.type == pg_oid::json;  // the same in both formats
  if (wanted == form::as_sent || is_plain || (element_of(f.type) == 0 && f.is_binary == (wanted == form::binary))) {
    out += f.bytes;
    return true;
  }
  switch (f.type) {
    case pg_oid::boolean:
      return convert_as<bool>(out, f);
    case pg_oid::bytea:
      return convert_as<pg_bytea>(out, f);
    case pg_oid::int2:
      return convert_as<std::int16_t>(out, f);
    case pg_oid::int4:
      return convert_as<std::int32_t>(out, f);
    case pg_oid::int8:
      return convert_as<std::int64_t>(out, f);
    case pg_oid::oid: {
      std::uint32_t value = 0;
      if (detail::pg_decode(f, value)) return false;
      put_big_endian(out, value);
      return true;
    }
    case pg_oid::float4:
      return convert_as<float>(out, f);
    case pg_oid::float8:
      return convert_as<double>(out, f);
    case pg_oid::date:
      return convert_as<std::chrono::sys_days>(out, f);
    case pg_oid::timestamp:
    case pg_oid::timestamptz:
      return convert_as<pg_time_point>(out, f);
    case pg_oid::interval:
      return convert_as<pg_interval>(out, f);
    case pg_oid::uuid:
      return convert_as<pg_uuid>(out, f);
    case pg_oid::json:
    case pg_oid::jsonb:
      return convert_as<pg_json>(out, f);
    case pg_oid::numeric:
      return convert_as<pg_numeric>(out, f);
    default:
      return convert_array(out, f, element_of(f.type));
  }
}

/// The column that cannot be converted, or npos when all are in out.
std::size_t put_rows(std::string &out, const pg_result &r, const std::vector<form> &forms) {
  const auto rows = r.rows(), columns = r.columns();
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) {
      const auto f = r.field(i, j);
      const auto begun = detail::pg_begin_element(out);
      if (!f.is_null && forms[j] == form::as_sent)
        out += f.bytes;
      else if (!f.is_null && !convert(out, f))
        return j;
      detail::pg_end_element(out, begun, f.is_null);
    }
  return pg_result::npos;
}

}  // namespace

std::string pack(const pg_result &r) {
  std::vector<form> forms;
  for (std::size_t j = 0; j < r.columns(); ++j) forms.push_back(form_of(r.type(j)));
  const std::string_view tag = r.tag();
  for (;;) {
    std::string out, head;
    for (std::size_t j = 0; j < forms.size(); ++j) {
      put_native(head, r.type(j));
      put_native(head, static_cast<std::uint32_t>(forms[j] != form::as_sent ? forms[j] : form(r.is_binary(j))));
      head.append(r.name(j));
      head += '\0';
    }
    put_native(out, static_cast<std::uint32_t>(r.rows()));
    put_native(out, static_cast<std::uint32_t>(r.columns()));
    put_native(out, static_cast<std::uint32_t>(head.size()));
    put_native(out, static_cast<std::uint32_t>(tag.size()));
    out += head;
    out += tag;
    const auto failed = put_rows(out, r, forms);
    if (failed == pg_result::npos) return out;
    forms[failed] = form::as_sent;  // once per column at most
  }
}

}  // namespace corbel::capi
