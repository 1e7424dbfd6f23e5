#include "json/writer.hpp"

#include "base/json_string.hpp"
#include "json/reference.hpp"

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
  detail::append_json_string(out_, name);
  out_ += ": ";
  comma_ = false;
  return *this;
}

json_writer &json_writer::value(std::string_view text) {
  separate();
  detail::append_json_string(out_, text);
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

}  // namespace corbel
