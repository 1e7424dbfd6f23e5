#pragma once
/// src/relay owns the way from a session's channel to its open streams: one subscription for all sessions, a room for each.
/// Callers: src/operations (streams) and hosts; publishers stand beside it. It loses nothing across an outage: after it, and
/// when its reader was too slow, the recent list of each open session's channel is read again.
/// Threads: all members and all frames on the executor of the pool's caller, run by one thread at a time; it must be the
/// one that the pool runs on.

#include "relay/channel.hpp"
#include "relay/sse_frame.hpp"

#include <corbel/log.hpp>
#include <corbel/redis_pool.hpp>
#include <corbel/result.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace corbel {

struct relay_stats {
  std::uint64_t delivered = 0;    ///< frames given to streams
  std::uint64_t duplicates = 0;   ///< copies that were not delivered again
  std::uint64_t recovered = 0;    ///< messages that the channel had not brought and the recent list had
  std::uint64_t unreachable = 0;  ///< messages for one stream that is not open here
  std::uint64_t malformed = 0;    ///< messages that could not be read
  std::uint64_t rooms = 0;        ///< sessions with open streams now
};

/// A stream that wants a session's events.
struct relay_listener {
  std::string session_id;
  std::string stream_id = {};  ///< what a message's target_sid names
  std::string after = {};      ///< id of the last event it has seen elsewhere; empty: it begins now
  /// Called once, before the first frame: the id of the last event that it will not be given, empty when there is none. A
  /// client that comes back with it as `after` misses nothing.
  std::function<void(const std::string &last)> begin = {};
  std::function<void(const relay_frame &)> give = {};
};

class relay {
 public:
  relay(redis_pool pool, relay_scope scope, log_function log = {});
  /// Nothing is given any more.
  ~relay();
  relay(const relay &) = delete;
  relay &operator=(const relay &) = delete;

  /// Gives the session's events to the listener from now on, once the server has confirmed the subscription. Its number,
  /// for close. An error when Redis cannot be reached in time: then nothing is given.
  boost::asio::awaitable<result<std::uint64_t>> open(relay_listener listener);
  /// Ends what open began; any number is allowed.
  void close(std::uint64_t number);

  /// The session of an open stream of that id; empty when there is none.
  std::string session_of(const std::string &stream_id) const;
  relay_stats stats() const;

 private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace corbel
