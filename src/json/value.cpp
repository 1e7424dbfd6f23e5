#include "json/value.hpp"

#include "json/reference.hpp"

#include <fmt/format.h>

namespace corbel {

namespace {

template <class T>
result<T> unexpected(const json_value &v, std::string_view wanted) {
  return error(status::invalid,
               fmt::format("{}: expected {}, found {}", v.path().empty() ? "the document" : v.path(), wanted,
                           json_kind_name(v.kind())),
               "json");
}

std::string below(const std::string &path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

}  // namespace

const char *json_kind_name(json_kind k) noexcept {
  switch (k) {
    case json_kind::null:
      return "null";
    case json_kind::boolean:
      return "a boolean";
    case json_kind::integer:
      return "an integer";
    case json_kind::number:
      return "a number";
    case json_kind::text:
      return "text";
    case json_kind::array:
      return "an array";
    case json_kind::object:
      return "an object";
  }
  return "nothing known";
}

json_kind json_value::kind() const noexcept {
  switch (detail::json_element(*this).type()) {
    case simdjson::dom::element_type::ARRAY:
      return json_kind::array;
    case simdjson::dom::element_type::OBJECT:
      return json_kind::object;
    case simdjson::dom::element_type::INT64:
    case simdjson::dom::element_type::UINT64:
      return json_kind::integer;
    case simdjson::dom::element_type::DOUBLE:
      return json_kind::number;
    case simdjson::dom::element_type::STRING:
      return json_kind::text;
    case simdjson::dom::element_type::BOOL:
      return json_kind::boolean;
    case simdjson::dom::element_type::NULL_VALUE:
      break;
  }
  return json_kind::null;
}

result<bool> json_value::boolean() const {
  bool value = false;
  if (detail::json_element(*this).get(value)) return unexpected<bool>(*this, "a boolean");
  return value;
}

result<std::int64_t> json_value::integer() const {
  std::int64_t value = 0;
  if (kind() == json_kind::integer && !detail::json_element(*this).get(value)) return value;
  return unexpected<std::int64_t>(*this, "an integer of 64 bits");
}

result<double> json_value::number() const {
  double value = 0;
  if (detail::json_element(*this).get(value)) return unexpected<double>(*this, "a number");
  return value;
}

result<std::string_view> json_value::text() const {
  std::string_view value;
  if (detail::json_element(*this).get(value)) return unexpected<std::string_view>(*this, "text");
  return value;
}

result<json_array> json_value::array() const {
  simdjson::dom::array a;
  if (detail::json_element(*this).get(a)) return unexpected<json_array>(*this, "an array");
  std::vector<json_value> elements;
  elements.reserve(a.size());
  for (auto e : a) elements.emplace_back(detail::json_reference(e), fmt::format("{}[{}]", path_, elements.size()));
  return json_array(std::move(elements));
}

result<json_object> json_value::object() const {
  if (kind() != json_kind::object) return unexpected<json_object>(*this, "an object");
  return json_object(*this);
}

std::optional<json_value> json_object::find(std::string_view key) const {
  std::optional<simdjson::dom::element> found;
  simdjson::dom::object o;
  if (detail::json_element(self_).get(o)) return {};
  for (auto [name, value] : o) {
    if (name == key) found = value;
  }
  if (!found || found->is_null()) return {};
  return json_value(detail::json_reference(*found), below(path(), key));
}

result<json_value> json_object::need(std::string_view key) const {
  if (auto found = find(key)) return *std::move(found);
  return error(status::invalid, fmt::format("{}: is missing", below(path(), key)), "json");
}

result<std::string_view> json_object::text(std::string_view key) const {
  auto v = need(key);
  return v ? v->text() : v.error();
}
result<std::int64_t> json_object::integer(std::string_view key) const {
  auto v = need(key);
  return v ? v->integer() : v.error();
}
result<double> json_object::number(std::string_view key) const {
  auto v = need(key);
  return v ? v->number() : v.error();
}
result<json_array> json_object::array(std::string_view key) const {
  auto v = need(key);
  return v ? v->array() : v.error();
}
result<json_object> json_object::object(std::string_view key) const {
  auto v = need(key);
  return v ? v->object() : v.error();
}

result<std::string_view> json_object::text(std::string_view key, std::string_view otherwise) const {
  auto v = find(key);
  return v ? v->text() : result<std::string_view>(otherwise);
}
result<bool> json_object::boolean(std::string_view key, bool otherwise) const {
  auto v = find(key);
  return v ? v->boolean() : result<bool>(otherwise);
}

std::vector<std::pair<std::string_view, json_value>> json_object::members() const {
  std::vector<std::pair<std::string_view, json_value>> all;
  simdjson::dom::object o;
  if (detail::json_element(self_).get(o)) return all;
  for (auto [name, value] : o) all.emplace_back(name, json_value(detail::json_reference(value), below(path(), name)));
  return all;
}

}  // namespace corbel
