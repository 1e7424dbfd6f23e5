#include "config/yaml.hpp"

#include "base/code_point.hpp"
#include "json/writer.hpp"

#include <corbel/config.hpp>

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <yaml-cpp/yaml.h>

namespace corbel {

namespace detail {

namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 20, most_levels = 64;

bool is_decimal(char c) noexcept { return c >= '0' && c <= '9'; }

/// An integer of the core schema; one that does not fit in 64 bits is none.
std::optional<std::int64_t> core_integer(std::string_view s) {
  int base = 10;
  if (s.starts_with("0o") || s.starts_with("0x")) {
    base = s[1] == 'o' ? 8 : 16;
    s.remove_prefix(2);
  } else if (s.starts_with('+') && s.size() > 1 && is_decimal(s[1])) {
    s.remove_prefix(1);
  }
  if (base != 10 && s.starts_with('-')) return {};
  std::int64_t n = 0;
  auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), n, base);
  return ec == std::errc() && end == s.data() + s.size() && !s.empty() ? std::optional(n) : std::nullopt;
}

/// A finite number of the core schema: [-+]? ( . digits | digits ( . digits? )? ) ( e [-+]? digits )?
std::optional<double> core_number(std::string_view s) {
  auto rest = s;
  if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
  auto digits = [&] {
    std::size_t n = 0;
    while (n < rest.size() && is_decimal(rest[n])) ++n;
    rest.remove_prefix(n);
    return n;
  };
  auto before = digits();
  std::size_t after = 0;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    after = digits();
  }
  if (before + after == 0) return {};
  if (rest.starts_with('e') || rest.starts_with('E')) {
    rest.remove_prefix(1);
    if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
    if (digits() == 0) return {};
  }
  if (!rest.empty()) return {};
  if (s.starts_with('+')) s.remove_prefix(1);
  double n = 0;
  auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), n);
  return ec == std::errc() ? std::optional(n) : std::nullopt;
}

class converter {
 public:
  std::string take() && { return std::move(out_); }

  /// Throws YAML::Exception where it cannot go on.
  void convert(const YAML::Node &node, std::size_t level) {
    if (level > most_levels)
      throw YAML::Exception(node.Mark(), fmt::format("nested deeper than the limit of {}", most_levels));
    switch (node.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null:
        writer_.value(nullptr);
        break;
      case YAML::NodeType::Scalar:
        scalar(node);
        break;
      case YAML::NodeType::Sequence:
        writer_.begin_array();
        for (const auto &element : node) convert(element, level + 1);
        writer_.end_array();
        break;
      case YAML::NodeType::Map:
        writer_.begin_object();
        for (const auto &member : node) {
          if (!member.first.IsScalar()) throw YAML::Exception(member.first.Mark(), "a key that is no text");
          writer_.key(member.first.Scalar());
          convert(member.second, level + 1);
        }
        writer_.end_object();
        break;
    }
    // Aliases let a short text stand for a long one.
    if (out_.size() > most_bytes)
      throw YAML::Exception(node.Mark(), fmt::format("longer than the limit of {} bytes", most_bytes));
  }

 private:
  void scalar(const YAML::Node &node) {
    const auto &text = node.Scalar();
    const auto &tag = node.Tag();
    if (tag == "!" || tag == "tag:yaml.org,2002:str") {
      writer_.value(text);
    } else if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
      writer_.value(nullptr);
    } else if (text == "true" || text == "True" || text == "TRUE") {
      writer_.value(true);
    } else if (text == "false" || text == "False" || text == "FALSE") {
      writer_.value(false);
    } else if (auto n = core_integer(text)) {
      writer_.value(*n);
    } else if (auto d = core_number(text)) {
      writer_.value(*d);
    } else {
      writer_.value(text);
    }
  }

  std::string out_;
  json_writer writer_{out_};
};

}  // namespace

result<std::string> yaml_to_json(std::string_view yaml) {
  auto refuse = [](std::string text) { return error(status::invalid, std::move(text), "config", "YAML"); };
  if (yaml.size() > most_bytes)
    return refuse(fmt::format("YAML of {} bytes is over the limit of {}", yaml.size(), most_bytes));
  try {
    converter c;
    c.convert(YAML::Load(std::string(yaml)), 0);
    return std::move(c).take();
  } catch (const YAML::Exception &e) {
    if (e.mark.is_null()) return refuse(fmt::format("YAML: {}", one_line(e.msg)));
    return refuse(fmt::format("YAML at line {}, column {}: {}", e.mark.line + 1, e.mark.column + 1, one_line(e.msg)));
  }
}

}  // namespace detail

gateway_reading read_gateway_yaml(std::string_view yaml, gateway_context context) {
  auto json = detail::yaml_to_json(yaml);
  if (json) {
    context.rooted = true;
    return read_gateway(*json, context);
  }
  gateway_reading r;
  r.source = context.source;
  r.faults.push_back({"", json.error().message(), "a YAML mapping"});
  return r;
}

}  // namespace corbel
