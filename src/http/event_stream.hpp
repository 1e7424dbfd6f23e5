#pragma once
/// Frames on their way to one client: a bounded queue between who has news and the connection that writes them. A client
/// that is slower than the news loses the oldest frames; they are counted and it is told by a comment, ": dropped 12".
///
/// Threads: the server's executor, all members.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace corbel {

/// A complete frame, with its empty line at the end. One text may be on its way to many clients.
using event_frame = std::shared_ptr<const std::string>;

struct event_stream_options {
  std::size_t max_frames = 1000;
  std::size_t max_bytes = std::size_t{4} << 20;
  std::chrono::milliseconds silence{3000};  ///< after so long without a frame `keep_alive` is sent
  std::string keep_alive = ": keepalive\n\n";
  std::function<event_frame()> farewell = {};  ///< makes the last frame when the server drains
  std::function<void()> on_end = {};           ///< runs once, when the connection has ended
};

class event_stream {
 public:
  event_stream(const boost::asio::any_io_executor &executor, event_stream_options options);
  event_stream(const event_stream &) = delete;
  event_stream &operator=(const event_stream &) = delete;
  ~event_stream();

  /// False when the stream takes no more.
  bool push(event_frame frame);
  /// What is queued is still written, then the response ends.
  void finish();
  /// Says farewell and finishes.
  void drain();
  bool finished() const noexcept { return finished_; }
  std::uint64_t dropped() const noexcept { return dropped_; }

  // The connection's side.

  /// The frames that are there, up to about 64 KiB; waits for one, or for the silence. Empty: finished.
  boost::asio::awaitable<std::string> next();
  /// The connection has ended: nothing more is taken, next() returns.
  void end();

 private:
  void drop_oldest();
  std::string take();

  event_stream_options options_;
  boost::asio::steady_timer wake_;
  std::deque<event_frame> frames_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;  // ever
  std::uint64_t untold_ = 0;   // dropped since the client was last told
  bool waiting_ = false, finished_ = false;
};

}  // namespace corbel
