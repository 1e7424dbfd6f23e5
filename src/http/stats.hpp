#pragma once
/// What a server counts, from its start on.

#include <cstdint>

namespace corbel {

struct http_stats {
  std::uint64_t accepted = 0;        ///< connections
  std::uint64_t refused = 0;         ///< of these, over the limit of connections
  std::uint64_t requests = 0;        ///< read whole
  std::uint64_t malformed = 0;       ///< answered 400, 413 or 431 before a handler saw them
  std::uint64_t timed_out = 0;       ///< too slow to send a request or to take a response
  std::uint64_t failed = 0;          ///< answered 500
  std::uint64_t frames_dropped = 0;  ///< of event streams that have ended
  std::uint64_t connections = 0;     ///< open now
  std::uint64_t streams = 0;         ///< event streams open now
};

}  // namespace corbel
