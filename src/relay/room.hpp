#pragma once
/// The streams of one session and what they have been given. Pure: no socket, no clock; the relay feeds it what the channel
/// and the recent list say. One thread at a time.
///
/// Whatever happens to the connection, each stream gets each message once and in order: while the recent list is being read
/// (hold), what the channel says waits behind it; what was given is known by its id.

#include "relay/message.hpp"
#include "relay/seen_ids.hpp"
#include "relay/sse_frame.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace corbel::detail {

struct relay_counts {
  std::uint64_t delivered = 0;    ///< frames given to streams
  std::uint64_t duplicates = 0;   ///< copies of messages that were delivered before
  std::uint64_t recovered = 0;    ///< messages that only the recent list had
  std::uint64_t unreachable = 0;  ///< messages for one stream that is not here
};

class relay_room {
 public:
  /// More than the recent list holds, so that what is in it and was delivered is still known.
  static constexpr std::size_t remembered = 512;
  /// Messages that wait during a hold; more are let through, out of order but not lost.
  static constexpr std::size_t held_limit = 1024;

  struct stream {
    std::uint64_t number = 0;
    std::string id;                                           ///< what target_sid names
    std::string after = {};                                   ///< id of the last event it has seen; empty: it begins now
    std::function<void(const std::string &last)> begin = {};  ///< once, before all else; see relay_listener
    std::function<void(const relay_frame &)> give = {};
  };

  /// A stream with `after` is given what came after it at the next end_hold; begin_hold before.
  void join(stream s);
  void leave(std::uint64_t number);
  bool empty() const noexcept { return streams_.empty(); }
  std::size_t size() const noexcept { return streams_.size(); }

  /// What was in the recent list before the first stream came is not news. Streams begin after it.
  void baseline(const std::vector<relay_message> &recent);

  /// The recent list is going to be read. Holds nest.
  void begin_hold() noexcept { ++holds_; }
  /// The recent list as it was read since begin_hold, oldest first; empty when it could not be read.
  void end_hold(const std::vector<relay_message> &recent, relay_counts &counts);

  /// A message of the channel.
  void accept(relay_message m, relay_counts &counts);

 private:
  struct seat {
    stream who;
    std::optional<std::size_t> catch_up_from = {};  // during end_hold: from which place on it has not seen the list
  };
  void deliver(const relay_message &m, relay_counts &counts);
  template <class Wanted>
  void give(const relay_message &m, relay_counts &counts, Wanted wanted);

  std::vector<seat> streams_;
  seen_ids seen_{remembered};
  std::deque<relay_message> held_;
  std::string last_;    // id of the latest message
  bool based_ = false;  // the baseline is known
  unsigned holds_ = 0;
};

}  // namespace corbel::detail
