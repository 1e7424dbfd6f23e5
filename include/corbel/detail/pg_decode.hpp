#pragma once
/// From a field of a result to a C++ value: one overload per type, text and binary. A wrong type or malformed bytes are an
/// error of status::invalid that names both. Pure; any thread.

#include <corbel/error.hpp>
#include <corbel/pg_value.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace corbel::detail {

struct pg_field {
  std::string_view bytes;
  std::uint32_t type = 0;  // oid
  bool is_null = true, is_binary = false;
};

error pg_decode(const pg_field &f, bool &out);
error pg_decode(const pg_field &f, std::int16_t &out);
error pg_decode(const pg_field &f, std::int32_t &out);
error pg_decode(const pg_field &f, std::int64_t &out);
error pg_decode(const pg_field &f, std::uint32_t &out);  // oid
error pg_decode(const pg_field &f, float &out);
error pg_decode(const pg_field &f, double &out);
error pg_decode(const pg_field &f, std::string &out);
error pg_decode(const pg_field &f, std::string_view &out);
error pg_decode(const pg_field &f, pg_numeric &out);
error pg_decode(const pg_field &f, pg_bytea &out);
error pg_decode(const pg_field &f, pg_uuid &out);
error pg_decode(const pg_field &f, std::chrono::sys_days &out);
error pg_decode(const pg_field &f, pg_time_point &out);
error pg_decode(const pg_field &f, pg_interval &out);
error pg_decode(const pg_field &f, pg_json &out);

/// Calls each element in order, after the dimensions are known. The first error ends it.
using pg_element_function = std::function<error(const pg_field &)>;
error pg_decode_array(const pg_field &f, std::vector<std::int32_t> &dimensions, const pg_element_function &each);
error pg_null_error();
error pg_dimensions_error(std::size_t dimensions);

template <class T>
error pg_decode(const pg_field &f, std::optional<T> &out) {
  if (f.is_null) {
    out.reset();
    return {};
  }
  return pg_decode(f, out.emplace());
}

template <class T>
error pg_decode_elements(const pg_field &f, std::vector<std::int32_t> &dimensions, std::vector<T> &out) {
  static_assert(!std::is_same_v<T, std::string_view>, "elements have no memory of their own to view: use std::string");
  out.clear();
  return pg_decode_array(f, dimensions, [&out](const pg_field &element) {
    T value{};
    auto why = pg_decode(element, value);
    if (!why) out.push_back(std::move(value));
    return why;
  });
}
template <class T>
error pg_decode(const pg_field &f, std::vector<T> &out) {
  std::vector<std::int32_t> dimensions;
  if (auto why = pg_decode_elements(f, dimensions, out)) return why;
  return dimensions.size() > 1 ? pg_dimensions_error(dimensions.size()) : error();
}
template <class T>
error pg_decode(const pg_field &f, pg_array<T> &out) {
  return pg_decode_elements(f, out.dimensions, out.values);
}

}  // namespace corbel::detail
