#include "operations/event_text.hpp"

namespace corbel {

namespace {

std::string_view text_of(const json_value &v) {
  auto text = v.text();
  return text ? *text : std::string_view();
}

}  // namespace

std::string_view event_text(const json_object &event) {
  auto payload = event.find("payload");
  if (!payload || payload->kind() != json_kind::object) return {};
  auto said = payload->object()->find("event");
  if (!said) return {};
  if (said->kind() != json_kind::object) return text_of(*said);
  for (auto key : {"text", "message", "request"}) {
    auto found = said->object()->find(key);
    if (auto text = found ? text_of(*found) : std::string_view(); !text.empty()) return text;
  }
  return {};
}

}  // namespace corbel
