#include "json/document.hpp"

#include "json/fault.hpp"
#include "json/reference.hpp"

#include <fmt/format.h>

namespace corbel {

struct json_document::impl {
  simdjson::dom::document document;
};

json_document::json_document(std::unique_ptr<impl> i) noexcept : impl_(std::move(i)) {}
json_document::json_document(json_document &&) noexcept = default;
json_document &json_document::operator=(json_document &&) noexcept = default;
json_document::~json_document() = default;

json_value json_document::root() const { return {detail::json_reference(impl_->document.root()), {}}; }

result<json_document> json_document::parse(std::string_view text, json_limits limits) {
  auto refuse = [](std::string line) { return error(status::invalid, std::move(line), "json"); };
  if (text.size() > limits.bytes)
    return refuse(fmt::format("JSON of {} bytes is over the limit of {}", text.size(), limits.bytes));
  if (text.empty()) text = "";  // a view of nothing has no address, which the reader would copy from
  auto made = std::make_unique<impl>();
  simdjson::dom::parser parser;
  // One level more than the limit, because the reader counts the document itself.
  auto failed = parser.allocate(text.size() + 1, limits.depth + 1);
  if (!failed) failed = parser.parse_into_document(made->document, text.data(), text.size()).error();
  if (failed == simdjson::DEPTH_ERROR)
    return refuse(fmt::format("JSON is nested deeper than the limit of {}", limits.depth));
  if (failed == simdjson::MEMALLOC) return error::out_of_memory();
  if (failed) return refuse(detail::json_fault(text, failed, limits.depth));
  return json_document(std::move(made));
}

}  // namespace corbel
