#include "bundle/child_lines.hpp"

#include "json/document.hpp"
#include "json/writer.hpp"

#include <fmt/format.h>

namespace corbel::detail {

namespace {

constexpr std::size_t most_quoted = 80;

error fault(std::string_view line, std::string_view why) {
  std::string quoted;
  json_writer(quoted).value(line.substr(0, most_quoted));
  return error(status::protocol,
               fmt::format("the handler wrote {}{} on standard output: {}", quoted,
                           line.size() > most_quoted ? fmt::format(" and so on, {} bytes,", line.size()) : "", why),
               "bundle", "LINE", error::maybe_applied);
}

std::string copy_of(const json_value &v) {
  std::string out;
  json_writer(out).value(v);
  return out;
}

error said_error(const json_value &v) {
  const auto object = v.object();
  if (!object) return error(status::internal, std::string(v.text().value()), "bundle", "HANDLER");
  const auto name = object->text("class", "HANDLER").value();
  return error(status::internal, std::string(object->text("message", "the handler failed without a message").value()),
               "bundle", std::string(name), object->boolean("retry", false).value() ? error::retriable : 0u);
}

}  // namespace

std::string write_child_request(std::uint64_t id, std::string_view kind, std::string_view task) {
  std::string out;
  out.reserve(task.size() + 64);
  json_writer(out).begin_object().member("id", id).member("kind", kind).key("task").raw(task).end_object();
  return out;
}

std::string write_child_cancel(std::uint64_t id) {
  std::string out;
  json_writer(out).begin_object().member("cancel", id).end_object();
  return out;
}

result<child_line> read_child_line(std::string_view line, std::size_t most) {
  const auto document = json_document::parse(line, {.bytes = most, .depth = 128});
  if (!document) return fault(line, document.error().message());
  try {
    const auto object = document->root().object().value();
    child_line out;
    const auto id = object.find("id");
    if (!id) {
      if (object.boolean("ready", false).value()) return out;
      return fault(line, "an \"id\", or \"ready\": true, is expected");
    }
    out.id = static_cast<std::uint64_t>(id->integer().value());
    if (const auto economics = object.find("economics")) {
      out.what = child_line::kind::economics;
      (void)economics->object().value();
      out.economics = copy_of(*economics);
    }
    // An answer may be null.
    for (const auto &[name, value] : object.members()) {
      if (name == "event") {
        out.what = child_line::kind::event;
        out.json = copy_of(value);
        return out;
      }
      if (name == "result") {
        out.what = child_line::kind::result;
        out.json = copy_of(value);
        return out;
      }
      if (name == "error") {
        out.what = child_line::kind::failed;
        out.why = said_error(value);
        return out;
      }
    }
    if (out.what == child_line::kind::economics) return out;
    return fault(line, "an \"event\", a \"result\" or an \"error\" is expected beside the id");
  } catch (const failure &f) {
    return fault(line, f.error().message());
  }
}

}  // namespace corbel::detail
