#pragma once
/// src/json owns reading and writing JSON. The only folder that includes simdjson. Callers: everything above base that
/// speaks JSON. Runs on the caller's thread; never blocks, never waits.
///
///     auto d = corbel::json_document::parse(body);
///     if (!d) return reject(d.error().message());          // "JSON at byte 17: expected a value, comma or closing bracket"
///     auto session = d->root().object()->text("session_id");  // result<std::string_view>

#include "json/value.hpp"

#include <memory>

namespace corbel {

struct json_limits {
  std::size_t bytes = std::size_t{1} << 20;  ///< of the text
  std::size_t depth = 64;                    ///< arrays and objects inside one another
};

class json_document {
 public:
  /// Reads one JSON value; nothing but white space may follow it. The text may go away afterwards. Errors are
  /// status::invalid, one line that says what is wrong and where, in bytes from 0. Not accepted although JSON: lone
  /// surrogates in escapes, integers outside 64 bits, numbers that are infinite as a double.
  static result<json_document> parse(std::string_view text, json_limits limits = {});

  json_document(json_document &&) noexcept;
  json_document &operator=(json_document &&) noexcept;
  ~json_document();

  json_value root() const;

 private:
  struct impl;
  explicit json_document(std::unique_ptr<impl> i) noexcept;
  std::unique_ptr<impl> impl_;
};

}  // namespace corbel
