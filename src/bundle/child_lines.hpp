#pragma once
/// The lines between a host and a bundle's handler: one JSON object each, UTF-8, ended by "\n". Pure; any thread.
///
///     handler: {"ready": true}                                    first, once
///     host:    {"id": 7, "kind": "turn", "task": {...}}           kind: "turn" or "operation"
///     handler: {"id": 7, "event": {...}}                          any number of them
///     handler: {"id": 7, "result": <any value>}                   or
///     handler: {"id": 7, "error": {"message": "...", "class": "...", "retry": false}}
///     handler: {"id": 7, "economics": {"tokens": 120}}            any number of them; or as a member of any line above
///     host:    {"cancel": 7}                                      nobody waits for it any more: an answer is due all the
///     same
///
/// Answers of several requests may come in any order. The end of input says: stop. What else a handler writes on standard
/// output is a fault, and it is ended; standard error goes to the host's log. docs/bundle-handlers.md tells it to those who
/// write handlers.

#include <corbel/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace corbel::detail {

struct child_line {
  enum class kind { ready, event, result, failed, economics };
  kind what = kind::ready;
  std::uint64_t id = 0;
  std::string json = {};       ///< of event and result
  error why = {};              ///< failed: what the handler says, native: its class
  std::string economics = {};  ///< an object; empty: the line has none
};

/// task: complete JSON on one line.
std::string write_child_request(std::uint64_t id, std::string_view kind, std::string_view task);
std::string write_child_cancel(std::uint64_t id);

/// Errors are status::protocol, native "LINE", with the line's begin.
result<child_line> read_child_line(std::string_view line, std::size_t most);

}  // namespace corbel::detail
