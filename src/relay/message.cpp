#include "relay/message.hpp"

#include "json/document.hpp"
#include "json/writer.hpp"

namespace corbel {

namespace {
// A publisher that is not ours may send what it likes; what a client could not take is not worth reading.
constexpr json_limits message_limits{.bytes = std::size_t{8} << 20, .depth = 128};
}  // namespace

std::string relay_message::json() const {
  std::string out;
  json_writer w(out);
  w.begin_object().key("id").text_or_null(id).key("target_sid").text_or_null(target_sid).member("session_id", session_id);
  w.member("event", event).key("data").raw(data).member("timestamp", timestamp).end_object();
  return out;
}

result<relay_message> relay_message::parse(std::string_view json) {
  auto document = json_document::parse(json, message_limits);
  if (!document) return document.error();
  auto object = document->root().object();
  if (!object) return object.error();
  relay_message m;
  auto take = [&](std::string_view key, std::string &into, bool required) -> error {
    auto text = required ? object->text(key) : object->text(key, {});
    if (!text) return text.error();
    into = *text;
    return {};
  };
  if (auto e = take("event", m.event, true)) return e;
  if (auto e = take("session_id", m.session_id, false)) return e;
  if (auto e = take("target_sid", m.target_sid, false)) return e;
  if (auto e = take("id", m.id, false)) return e;
  json_writer data(m.data);
  if (auto found = object->find("data"))
    data.value(*found);
  else
    data.begin_object().end_object();
  if (auto at = object->number("timestamp")) m.timestamp = *at;
  return m;
}

}  // namespace corbel
