#include "relay/sse_frame.hpp"

namespace corbel {

namespace {

void append_line(std::string &out, std::string_view name, std::string_view value) {
  out += name;
  for (char c : value) out += c == '\n' || c == '\r' || c == '\0' ? ' ' : c;
  out += '\n';
}

}  // namespace

std::string sse_frame(std::string_view id, std::string_view event, std::string_view data) {
  std::string out;
  out.reserve(id.size() + event.size() + data.size() + 24);
  append_line(out, "id: ", id);
  append_line(out, "event: ", event);
  append_line(out, "data: ", data);
  out += '\n';
  return out;
}

}  // namespace corbel
