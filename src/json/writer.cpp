#include "json/writer.hpp"

#include "json/reference.hpp"
#include "json/utf8.hpp"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <cmath>

namespace corbel {

void json_writer::separate() {
  if (comma_) out_ += ", ";
  comma_ = true;
}

json_writer &json_writer::open(char c) {
  separate();
  out_ += c;
  comma_ = false;
  return *this;
}

json_writer &json_writer::close(char c) {
  out_ += c;
  comma_ = true;
  return *this;
}

json_writer &json_writer::key(std::string_view name) {
  separate();
  quote(name);
  out_ += ": ";
  comma_ = false;
  return *this;
}

json_writer &json_writer::value(std::string_view text) {
  separate();
  quote(text);
  return *this;
}

json_writer &json_writer::value(bool b) { return raw(b ? "true" : "false"); }
json_writer &json_writer::value(std::nullptr_t) { return raw("null"); }

json_writer &json_writer::value(double number) {
  if (!std::isfinite(number)) return value(nullptr);
  auto digits = fmt::format("{}", number);
  return raw(digits.find_first_of(".e") == std::string::npos ? digits + ".0" : digits);
}

json_writer &json_writer::integer(std::int64_t number) { return raw(fmt::format_int(number).c_str()); }
json_writer &json_writer::integer(std::uint64_t number) { return raw(fmt::format_int(number).c_str()); }

json_writer &json_writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

json_writer &json_writer::value(const json_value &parsed) {
  using type = simdjson::dom::element_type;
  auto e = detail::json_element(parsed);
  auto nested = [](simdjson::dom::element below) { return json_value(detail::json_reference(below), {}); };
  switch (e.type()) {
    case type::ARRAY:
      begin_array();
      for (auto item : simdjson::dom::array(e)) value(nested(item));
      return end_array();
    case type::OBJECT:
      begin_object();
      for (auto [name, item] : simdjson::dom::object(e)) key(name).value(nested(item));
      return end_object();
    case type::INT64:
      return integer(std::int64_t(e));
    case type::UINT64:
      return integer(std::uint64_t(e));
    case type::DOUBLE:
      return value(double(e));
    case type::STRING:
      return value(std::string_view(e));
    case type::BOOL:
      return value(bool(e));
    case type::NULL_VALUE:
      break;
  }
  return value(nullptr);
}

void json_writer::quote(std::string_view text) {
  out_ += '"';
  auto plain = text.data();  // begin of what is copied as it is
  auto flush = [&](const char *to) { out_.append(plain, to); };
  for (auto at = text.data(), end = at + text.size(); at != end;) {
    auto c = static_cast<unsigned char>(*at);
    if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
      ++at;
      continue;
    }
    auto step = detail::utf8_first({at, static_cast<std::size_t>(end - at)});
    auto p = step.point;
    if (step.valid && p >= 0x80 && p != 0x85 && p != 0x2028 && p != 0x2029) {
      at += step.bytes;
      continue;
    }
    flush(at);
    at += step.bytes;
    plain = at;
    switch (step.valid ? p : char32_t{0xFFFD}) {
      case '"':
        out_ += "\\\"";
        break;
      case '\\':
        out_ += "\\\\";
        break;
      case '\n':
        out_ += "\\n";
        break;
      case '\r':
        out_ += "\\r";
        break;
      case '\t':
        out_ += "\\t";
        break;
      case '\b':
        out_ += "\\b";
        break;
      case '\f':
        out_ += "\\f";
        break;
      case 0xFFFD:
        out_ += "\xEF\xBF\xBD";
        break;
      default:
        fmt::format_to(std::back_inserter(out_), FMT_COMPILE("\\u{:04x}"), static_cast<std::uint32_t>(p));
    }
  }
  flush(text.data() + text.size());
  out_ += '"';
}

}  // namespace corbel
