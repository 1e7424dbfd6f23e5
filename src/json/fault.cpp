#include "json/fault.hpp"

#include "json/utf8.hpp"

#include <fmt/format.h>

#include <optional>

namespace corbel::detail {

namespace {

namespace od = simdjson::ondemand;

/// Reads everything below a value, levels deep at most, so that the cursor stops at the first fault.
simdjson::error_code walk(od::value v, std::size_t levels) {
  if (levels == 0) return simdjson::DEPTH_ERROR;
  od::json_type type{};
  if (auto e = v.type().get(type)) return e;
  switch (type) {
    case od::json_type::array: {
      od::array a;
      if (auto e = v.get_array().get(a)) return e;
      for (auto item : a) {
        od::value below;
        if (auto e = item.get(below)) return e;
        if (auto e = walk(below, levels - 1)) return e;
      }
      return simdjson::SUCCESS;
    }
    case od::json_type::object: {
      od::object o;
      if (auto e = v.get_object().get(o)) return e;
      for (auto field : o) {
        std::string_view key;
        if (auto e = field.unescaped_key().get(key)) return e;
        od::value below;
        if (auto e = field.value().get(below)) return e;
        if (auto e = walk(below, levels - 1)) return e;
      }
      return simdjson::SUCCESS;
    }
    case od::json_type::string:
      return v.get_string().error();
    case od::json_type::number:
      return v.get_number().error();
    case od::json_type::boolean:
      return v.get_bool().error();
    case od::json_type::null:
      return v.is_null().error();
  }
  return simdjson::SUCCESS;
}

/// Where the reader's cursor stands at the first fault of a text whose strings and encoding are sound.
std::optional<std::size_t> cursor(std::string_view text, std::size_t depth) {
  simdjson::padded_string padded(text);
  od::parser parser;
  od::document document;
  if (parser.allocate(text.size() + 1, depth + 1) || parser.iterate(padded).get(document)) return {};
  od::value root;
  if (document.get_value().get(root) == simdjson::SUCCESS) static_cast<void>(walk(root, depth + 1));
  const char *at = nullptr;
  if (document.current_location().get(at)) return {};
  return std::min<std::size_t>(static_cast<std::size_t>(at - padded.data()), text.size());
}

struct string_fault {
  std::size_t at;
  bool open;  ///< never closed; else a control character stands in it
};

std::optional<string_fault> first_string_fault(std::string_view text) {
  std::optional<std::size_t> opened;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      opened = opened ? std::nullopt : std::optional(i);
    } else if (opened && text[i] == '\\') {
      ++i;
    } else if (opened && static_cast<unsigned char>(text[i]) < 0x20) {
      return string_fault{i, false};
    }
  }
  if (opened) return string_fault{*opened, true};
  return {};
}

const char *meaning(simdjson::error_code code) {
  switch (code) {
    case simdjson::STRING_ERROR:
      return "the text that ends here has a bad escape or a lone surrogate";
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
      return "expected true, false or null";
    case simdjson::NUMBER_ERROR:
      return "a number is malformed, or too large for 64 bits";
    default:
      return "expected a value, a comma, a colon or a closing bracket";
  }
}

}  // namespace

std::string json_fault(std::string_view text, simdjson::error_code code, std::size_t depth) {
  if (code == simdjson::EMPTY) return "JSON is empty: expected a value";
  if (auto bad = utf8_first_invalid(text); bad != std::string_view::npos)
    return fmt::format("JSON at byte {}: not valid UTF-8", bad);
  if (auto fault = first_string_fault(text))
    return fmt::format(
        "JSON at byte {}: {}", fault->at,
        fault->open ? "a text that begins here is not closed" : "a control character in a text is not escaped");
  auto at = cursor(text, depth);
  return at ? fmt::format("JSON at byte {}: {}", *at, meaning(code))
            : fmt::format("JSON of {} bytes: {}", text.size(), meaning(code));
}

}  // namespace corbel::detail
