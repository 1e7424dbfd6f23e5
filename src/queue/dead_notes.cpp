#include "queue/dead_notes.hpp"

#include "json/document.hpp"

#include <cstdlib>

namespace corbel::detail {

namespace {

/// The text before the next line feed, which is taken off with it.
std::string_view next_line(std::string_view &text) {
  const auto at = text.find('\n');
  auto line = text.substr(0, at);
  text = at == text.npos ? std::string_view() : text.substr(at + 1);
  return line;
}

failed_attempt read_attempt(std::string_view json) {
  failed_attempt a;
  auto document = json_document::parse(json, {.bytes = 1u << 16, .depth = 4});
  if (!document) return a;
  auto top = document->root().object();
  if (!top) return a;
  if (auto n = top->number("attempt")) a.attempt = static_cast<std::uint32_t>(*n);
  if (auto at = top->number("at"))
    a.at = std::chrono::system_clock::time_point(std::chrono::milliseconds(static_cast<std::int64_t>(*at)));
  if (auto by = top->text("by", {})) a.by = *by;
  if (auto reason = top->text("reason", {})) a.reason = *reason;
  return a;
}

}  // namespace

void read_dead_notes(std::string_view notes, dead_message &m) {
  m.attempts = static_cast<std::uint32_t>(std::strtoul(std::string(next_line(notes)).c_str(), nullptr, 10));
  m.reason = next_line(notes);
  while (!notes.empty()) m.history.push_back(read_attempt(next_line(notes)));
}

}  // namespace corbel::detail
