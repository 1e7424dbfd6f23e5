#pragma once
/// Writes JSON by appending to a string. What it writes is one line for every reader: control characters (C0, DEL, C1),
/// U+2028 and U+2029 are escaped. Separators are ", " and ": ", other text is raw UTF-8; invalid UTF-8 becomes U+FFFD.
///
///     std::string out;
///     corbel::json_writer w(out);
///     w.begin_object().member("id", id).member("count", 3).key("tags").begin_array().value("a").end_array().end_object();
///
/// Threads: one at a time. The caller nests rightly; commas are the writer's care.

#include "json/value.hpp"

#include <concepts>
#include <string>
#include <string_view>

namespace corbel {

class json_writer {
 public:
  /// Appends to out, which must outlive the writer.
  explicit json_writer(std::string &out) : out_(out) {}

  json_writer &begin_object() { return open('{'); }
  json_writer &end_object() { return close('}'); }
  json_writer &begin_array() { return open('['); }
  json_writer &end_array() { return close(']'); }
  json_writer &key(std::string_view name);

  json_writer &value(std::string_view text);
  json_writer &value(const char *text) { return value(std::string_view(text)); }
  json_writer &value(bool b);
  json_writer &value(std::nullptr_t);
  /// The shortest digits that read back as the same number, always with a fraction or exponent; null when not finite.
  json_writer &value(double number);
  json_writer &value(std::signed_integral auto number) { return integer(std::int64_t{number}); }
  json_writer &value(std::unsigned_integral auto number) { return integer(std::uint64_t{number}); }
  /// A copy of parsed JSON.
  json_writer &value(const json_value &parsed);
  /// Text, or null when it is empty.
  json_writer &text_or_null(std::string_view text) { return text.empty() ? value(nullptr) : value(text); }
  /// JSON that is complete already and on one line.
  json_writer &raw(std::string_view json);

  template <class T>
  json_writer &member(std::string_view name, const T &v) {
    return key(name).value(v);
  }

 private:
  json_writer &open(char c);
  json_writer &close(char c);
  json_writer &integer(std::int64_t number);
  json_writer &integer(std::uint64_t number);
  void separate();

  std::string &out_;
  bool comma_ = false;  // a value stands before the next one in the same array or object
};

}  // namespace corbel
