// Arrays, in both formats (src/backend/utils/adt/arrayfuncs.c, array_send and array_out).
#include "postgres/decode_text.hpp"

#include <string>

namespace corbel::detail {

namespace {

constexpr std::size_t most_dimensions = 6;  // MAXDIM

std::uint32_t element_of(std::uint32_t array) noexcept {
  switch (array) {
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
    case 1016:
      return pg_oid::int8;
    case 1014:
      return pg_oid::bpchar;
    case 1015:
      return pg_oid::varchar;
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
    case 199:
      return pg_oid::json;
    case 3807:
      return pg_oid::jsonb;
    default:
      return pg_oid::text;
  }
}

error decode_binary(const pg_field &f, std::vector<std::int32_t> &dimensions, const pg_element_function &each) {
  auto rest = f.bytes;
  auto take = [&](std::int32_t &out) {
    if (rest.size() < 4) return false;
    out = static_cast<std::int32_t>(read_big_endian(rest.substr(0, 4)));
    rest.remove_prefix(4);
    return true;
  };
  std::int32_t count = 0, has_null = 0, type = 0, lower = 0;
  if (!take(count) || !take(has_null) || !take(type) || count < 0 || count > static_cast<std::int32_t>(most_dimensions))
    return malformed(f, "array");
  std::int64_t elements = count == 0 ? 0 : 1;
  for (std::int32_t d = 0; d < count; ++d) {
    dimensions.push_back(0);
    if (!take(dimensions.back()) || !take(lower) || dimensions.back() < 0) return malformed(f, "array");
    elements *= dimensions.back();
    // Each element has at least its size.
    if (elements > static_cast<std::int64_t>(f.bytes.size())) return malformed(f, "array");
  }
  for (std::int64_t i = 0; i < elements; ++i) {
    std::int32_t size = 0;
    if (!take(size) || size < -1 || (size > 0 && static_cast<std::size_t>(size) > rest.size())) return malformed(f, "array");
    pg_field element{{}, static_cast<std::uint32_t>(type), size < 0, true};
    if (size >= 0) {
      element.bytes = rest.substr(0, static_cast<std::size_t>(size));
      rest.remove_prefix(static_cast<std::size_t>(size));
    }
    if (auto why = each(element)) return why;
  }
  return rest.empty() ? error() : malformed(f, "array");
}

/// {1,NULL,"a \"quoted\" one"}, {{1,2},{3,4}}, [0:1]={1,2}
class text_array {
 public:
  text_array(const pg_field &f, std::vector<std::int32_t> &dimensions, const pg_element_function &each)
      : field_(f), text_(f.bytes), dimensions_(dimensions), each_(each), type_(element_of(f.type)) {}

  error read() {
    if (text_.starts_with('[')) {
      const auto equals = text_.find('=');
      if (equals == text_.npos) return malformed(field_, "array");
      text_.remove_prefix(equals + 1);
    }
    if (text_ == "{}") return {};
    if (auto why = level(0)) return why;
    return text_.empty() ? error() : malformed(field_, "array");
  }

 private:
  error level(std::size_t depth) {
    if (depth == most_dimensions || !skip('{')) return malformed(field_, "array");
    if (dimensions_.size() == depth) dimensions_.push_back(-1);
    std::int32_t count = 0;
    do {
      ++count;
      if (text_.starts_with('{')) {
        if (auto why = level(depth + 1)) return why;
      } else {
        if (dimensions_.size() > depth + 1) return malformed(field_, "array");
        if (auto why = element()) return why;
      }
    } while (skip(','));
    if (!skip('}')) return malformed(field_, "array");
    auto &known = dimensions_[depth];
    if (known == -1) known = count;
    return known == count ? error() : malformed(field_, "array");
  }

  error element() {
    if (!skip('"')) {
      const auto end = text_.find_first_of(",{}");
      if (end == text_.npos || end == 0) return malformed(field_, "array");
      const auto word = text_.substr(0, end);
      text_.remove_prefix(end);
      return each_({word, type_, word == "NULL", false});
    }
    std::string value;
    while (!text_.empty() && text_[0] != '"') {
      if (text_[0] == '\\') text_.remove_prefix(1);
      if (text_.empty()) break;
      value += text_[0];
      text_.remove_prefix(1);
    }
    if (!skip('"')) return malformed(field_, "array");
    return each_({value, type_, false, false});
  }
  bool skip(char c) noexcept {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

  const pg_field &field_;
  std::string_view text_;
  std::vector<std::int32_t> &dimensions_;
  const pg_element_function &each_;
  std::uint32_t type_;
};

}  // namespace

error pg_decode_array(const pg_field &f, std::vector<std::int32_t> &dimensions, const pg_element_function &each) {
  dimensions.clear();
  if (f.is_null) return pg_null_error();
  return f.is_binary ? decode_binary(f, dimensions, each) : text_array(f, dimensions, each).read();
}

}  // namespace corbel::detail
