// numeric, bytea and uuid.
#include "postgres/decode_text.hpp"

#include <fmt/format.h>

namespace corbel::detail {

namespace {

int hex_digit(char c) noexcept {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_numeric_text(std::string_view text) noexcept {
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") return true;
  if (text.starts_with('-')) text.remove_prefix(1);
  bool any = false, point = false;
  for (char c : text) {
    if (c == '.' && !point)
      point = true;
    else if (c >= '0' && c <= '9')
      any = true;
    else
      return false;
  }
  return any;
}

/// Header of four 16-bit numbers (count of digits, weight, sign, scale), then digits of base 10,000.
error decode_binary(const pg_field &f, std::string &out) {
  auto bad = [&] { return malformed(f, "numeric"); };
  if (f.bytes.size() < 8 || f.bytes.size() % 2 != 0) return bad();
  auto at = [&](std::size_t i) { return static_cast<std::uint16_t>(read_big_endian(f.bytes.substr(i * 2, 2))); };
  const std::size_t count = at(0);
  const int weight = static_cast<std::int16_t>(at(1)), scale = at(3);
  switch (at(2)) {
    case 0xC000:
      out = "NaN";
      return {};
    case 0xD000:
      out = "Infinity";
      return {};
    case 0xF000:
      out = "-Infinity";
      return {};
    case 0x0000:
    case 0x4000:
      break;
    default:
      return bad();
  }
  if (f.bytes.size() != 8 + count * 2 || scale > 16383) return bad();
  auto digit = [&](int i) {
    return i < 0 || static_cast<std::size_t>(i) >= count ? 0 : int{at(4 + static_cast<std::size_t>(i))};
  };
  for (std::size_t i = 0; i < count; ++i)
    if (at(4 + i) > 9999) return bad();
  out = at(2) == 0x4000 ? "-" : "";
  if (weight < 0) out += '0';
  for (int i = 0; i <= weight; ++i) out += i == 0 ? std::to_string(digit(i)) : fmt::format("{:04}", digit(i));
  if (scale == 0) return {};
  out += '.';
  const auto point = out.size();
  for (int i = weight + 1; out.size() < point + static_cast<std::size_t>(scale); ++i)
    fmt::format_to(std::back_inserter(out), "{:04}", digit(i));
  out.resize(point + static_cast<std::size_t>(scale));
  return {};
}

}  // namespace

error pg_decode(const pg_field &f, pg_numeric &out) {
  if (f.is_null) return pg_null_error();
  if (f.is_binary && f.type == pg_oid::numeric) return decode_binary(f, out.text);
  switch (f.type) {
    case pg_oid::int2:
    case pg_oid::int4:
    case pg_oid::int8: {
      std::int64_t value = 0;
      if (auto why = pg_decode(f, value)) return why;
      out.text = std::to_string(value);
      return {};
    }
    case pg_oid::numeric:
      if (!is_numeric_text(f.bytes)) return malformed(f, "numeric");
      out.text = f.bytes;
      return {};
    default:
      return wrong_type(f, "numeric");
  }
}

error parse_bytea(const pg_field &f, pg_bytea &out) {
  auto text = f.bytes;
  out.bytes.clear();
  if (text.starts_with("\\x")) {
    text.remove_prefix(2);
    if (text.size() % 2 != 0) return malformed(f, "bytea");
    for (std::size_t i = 0; i < text.size(); i += 2) {
      const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
      if (high < 0 || low < 0) return malformed(f, "bytea");
      out.bytes += static_cast<char>(high * 16 + low);
    }
    return {};
  }
  for (std::size_t i = 0; i < text.size(); ++i) {  // bytea_output = escape
    if (text[i] != '\\') {
      out.bytes += text[i];
    } else if (text.substr(i, 2) == "\\\\") {
      out.bytes += '\\';
      ++i;
    } else {
      int value = 0;
      if (i + 3 >= text.size()) return malformed(f, "bytea");
      for (std::size_t d = 1; d <= 3; ++d) {
        if (text[i + d] < '0' || text[i + d] > '7') return malformed(f, "bytea");
        value = value * 8 + (text[i + d] - '0');
      }
      if (value > 255) return malformed(f, "bytea");
      out.bytes += static_cast<char>(value);
      i += 3;
    }
  }
  return {};
}

error parse_uuid(const pg_field &f, pg_uuid &out) {
  if (f.bytes.size() != 36) return malformed(f, "uuid");
  std::size_t at = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    if (at == 8 || at == 13 || at == 18 || at == 23)
      if (f.bytes[at++] != '-') return malformed(f, "uuid");
    const int high = hex_digit(f.bytes[at]), low = hex_digit(f.bytes[at + 1]);
    if (high < 0 || low < 0) return malformed(f, "uuid");
    out.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    at += 2;
  }
  return {};
}

}  // namespace corbel::detail

namespace corbel {

std::string pg_uuid::text() const {
  std::string out;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    fmt::format_to(std::back_inserter(out), "{:02x}", bytes[i]);
  }
  return out;
}

}  // namespace corbel
