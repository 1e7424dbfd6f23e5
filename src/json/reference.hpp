#pragma once
/// How a json_value keeps its place: simdjson's element is two words that may be copied. For this folder's bodies only.

#include "json/value.hpp"

#include <simdjson.h>

#include <bit>

namespace corbel::detail {

static_assert(sizeof(simdjson::dom::element) == sizeof(json_value::reference));
static_assert(std::is_trivially_copyable_v<simdjson::dom::element>);

inline json_value::reference json_reference(simdjson::dom::element e) noexcept {
  return std::bit_cast<json_value::reference>(e);
}
inline simdjson::dom::element json_element(const json_value &v) noexcept {
  return std::bit_cast<simdjson::dom::element>(v.where());
}

}  // namespace corbel::detail
