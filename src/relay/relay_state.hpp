#pragma once
/// The relay's inside: rooms by channel, the reader of the subscription, recovery. Threads: see relay.hpp.

#include "relay/relay.hpp"
#include "relay/room.hpp"

#include <corbel/redis_subscription.hpp>

#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <map>
#include <optional>
#include <unordered_map>

namespace corbel {

struct relay::impl : std::enable_shared_from_this<relay::impl> {
  impl(redis_pool p, relay_scope s, log_function log)
      : pool(std::move(p)), scope(std::move(s)), write_log(std::move(log)), subscription(std::in_place, pool) {}

  struct open_room {
    open_room(std::string name, const detail::io_executor &e) : channel(std::move(name)), opened(e) {}
    std::string channel;
    detail::relay_room room;
    bool based = false;                ///< its baseline was read: what the recent list has more is news
    bool away = false;                 ///< held since the connection was lost
    std::optional<error> outcome;      ///< of the subscription; none yet: it is under way
    boost::asio::steady_timer opened;  ///< cancelled when there is an outcome
  };
  using room_ptr = std::shared_ptr<open_room>;
  struct seat {
    room_ptr room;
    std::string session_id, stream_id;
  };

  // relay.cpp: opening and closing
  boost::asio::awaitable<result<std::uint64_t>> open(relay_listener listener);
  /// Subscribes a new room, which is held: reads the recent list before, so that it is known what is old, and after, so
  /// that nothing is missed in between.
  boost::asio::awaitable<error> subscribe(room_ptr r);
  boost::asio::awaitable<error> arrived(room_ptr r, bool created, bool catches_up);
  void close(std::uint64_t number);

  // relay_reader.cpp: what the subscription says
  boost::asio::awaitable<void> run();
  void take(const redis_notice &n);
  void hold_all();
  void recover_all(const char *why);
  boost::asio::awaitable<void> recover();
  /// The recent list, oldest first.
  boost::asio::awaitable<result<std::vector<relay_message>>> read_recent(std::string channel);
  std::optional<relay_message> parse(std::string_view json);

  void log(log_level level, std::string text) const {
    if (write_log) write_log({.level = level, .part = "relay", .text = std::move(text), .fields = {}});
  }

  redis_pool pool;
  relay_scope scope;
  log_function write_log;
  std::optional<redis_subscription> subscription;  // none when ended
  detail::relay_counts counts;
  std::uint64_t malformed = 0, last_number = 0, epoch = 0;
  bool ended = false;
  std::unordered_map<std::string, room_ptr> rooms;  // by channel
  std::unordered_map<std::uint64_t, seat> seats;    // by number
  std::multimap<std::string, std::uint64_t> by_stream_id;
  std::deque<room_ptr> to_recover;  // each held once for it
  unsigned recoverers = 0;
};

}  // namespace corbel
