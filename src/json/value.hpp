#pragma once
/// Typed face of parsed JSON. Every value knows its path ("request.external_events[2].type"), so that what is wrong with
/// it can be said in one line: "routing.session_id: expected text, found a number".
///
/// Values, and the text views they give out, live as long as the json_document they come from. Threads: many may read one
/// document at once.

#include <corbel/result.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corbel {

enum class json_kind { null, boolean, integer, number, text, array, object };
/// "null", "a boolean", "an integer", "a number", "text", "an array", "an object": as it is said in errors.
const char *json_kind_name(json_kind k) noexcept;

class json_array;
class json_object;

/// One value: two words and its path.
class json_value {
 public:
  using reference = std::array<std::uint64_t, 2>;  ///< where it stands in the document
  json_value(reference where, std::string path) : where_(where), path_(std::move(path)) {}

  json_kind kind() const noexcept;
  bool is_null() const noexcept { return kind() == json_kind::null; }
  const std::string &path() const noexcept { return path_; }  ///< empty for the document's root

  // Each is the value, or status::invalid with "<path>: expected ..., found ...".
  result<bool> boolean() const;
  result<std::int64_t> integer() const;   ///< a number written without fraction and exponent that fits
  result<double> number() const;          ///< an integer too
  result<std::string_view> text() const;  ///< UTF-8, escapes resolved; may hold NUL
  result<json_array> array() const;
  result<json_object> object() const;

  reference where() const noexcept { return where_; }

 private:
  reference where_;
  std::string path_;
};

/// The elements in order.
class json_array {
 public:
  explicit json_array(std::vector<json_value> elements) : elements_(std::move(elements)) {}
  std::size_t size() const noexcept { return elements_.size(); }
  bool empty() const noexcept { return elements_.empty(); }
  const json_value &operator[](std::size_t i) const noexcept { return elements_[i]; }
  auto begin() const noexcept { return elements_.begin(); }
  auto end() const noexcept { return elements_.end(); }

 private:
  std::vector<json_value> elements_;
};

/// The members by name; of several with the same name the last one counts.
class json_object {
 public:
  explicit json_object(json_value self) : self_(std::move(self)) {}

  /// The member, or nothing when it is absent or null.
  std::optional<json_value> find(std::string_view key) const;

  // Required: an error "<path>: is missing" when absent or null.
  result<std::string_view> text(std::string_view key) const;
  result<std::int64_t> integer(std::string_view key) const;
  result<double> number(std::string_view key) const;
  result<json_array> array(std::string_view key) const;
  result<json_object> object(std::string_view key) const;
  // Optional: otherwise when absent or null; still an error when it is there with another type.
  result<std::string_view> text(std::string_view key, std::string_view otherwise) const;
  result<bool> boolean(std::string_view key, bool otherwise) const;

  /// All members, in the document's order.
  std::vector<std::pair<std::string_view, json_value>> members() const;
  const std::string &path() const noexcept { return self_.path(); }

 private:
  result<json_value> need(std::string_view key) const;
  json_value self_;
};

}  // namespace corbel
