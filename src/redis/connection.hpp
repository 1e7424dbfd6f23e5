#pragma once
/// Owns: one socket to Redis, from connect to close: handshake, requests in order, replies, PING when idle. Callers: a
/// pipeline, the subscriber, or the desk of leases, as its owner. It never reconnects. Thread: the pool's loop; post_request
/// is for any thread. What it still holds when it closes is handed to its owner, who decides what becomes of it.

#include "base/batch.hpp"
#include "base/inbox.hpp"
#include "io/busy_poll.hpp"
#include "io/connect.hpp"
#include "io/loop.hpp"
#include "io/resolve.hpp"
#include "io/stream.hpp"
#include "redis/counters.hpp"
#include "redis/request_ring.hpp"
#include "redis/settings.hpp"

#include <corbel/detail/redis_request.hpp>

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace corbel::detail {

class redis_pool_core;

/// A CLIENT subcommand that leaves the connection as it is.
bool is_harmless_client(const redis_command &c) noexcept;

class redis_connection final : public std::enable_shared_from_this<redis_connection>, private batch_scope::task {
 public:
  using clock = std::chrono::steady_clock;
  using request_list = std::deque<redis_request *>;

  class owner {
   public:
    virtual void connection_up(redis_connection &c) = 0;
    /// Once, after which the owner is not called again. sent: unanswered; unsent: never written. The owner owns them now.
    virtual void connection_closed(redis_connection &c, const error &why, request_list sent, request_list unsent) = 0;
    /// A request was taken on: its deadline has to be watched.
    virtual void connection_deadline(std::chrono::steady_clock::time_point) {}
    /// Every reply, when the connection carries subscriptions.
    virtual void connection_push(redis_connection &, redis_reply) {}

   protected:
    ~owner() = default;
  };

  enum class mode { requests, pushes };

  redis_connection(std::shared_ptr<loop> where, std::shared_ptr<const redis_settings> settings,
                   std::shared_ptr<redis_counters> counters, owner *o, mode m);
  ~redis_connection();

  /// Connects and shakes hands within the connect time-out; then connection_up or connection_closed.
  void open();
  /// Closes; the owner is told (not from within the call's own stack of a submit).
  void close(error why);
  /// Closes and forgets the owner; what it still holds fails with `why`.
  void dismiss(const error &why);

  /// May close the connection, for it may write.
  void submit(redis_request *r);
  /// So many are about to be submitted one after the other: they leave in two writes. 0: they were. Where they are many and
  /// the server is near and has nothing to do, the second half waits for the first reply: a server that sleeps needs longer
  /// to wake up than the second write needs to come, would answer both halves at once, and from there on the caller and the
  /// server would work by turns.
  void expect(std::size_t requests) noexcept;
  /// From any thread, in order with each other.
  void post_request(redis_request *r);
  /// Writes raw commands in push mode.
  void push_command(const redis_command &c);

  bool is_up() const noexcept { return state_ == state::up; }
  std::size_t unanswered() const noexcept { return sent_.size(); }
  std::size_t unsent_bytes() const noexcept { return unsent_bytes_ + out_.size(); }
  std::size_t under_way() const noexcept { return sent_.size() + unsent_.size(); }
  clock::time_point last_read() const noexcept { return last_read_; }
  clock::time_point opened_at() const noexcept { return opened_at_; }
  /// Requests answered or given up, PINGs not counted; and whether the connection is closed. Any thread.
  std::uint64_t settled() const noexcept { return settled_.value(); }
  bool is_closed() const noexcept { return closed_.load(std::memory_order_acquire); }

  /// What the holder of a lease has done to the connection. Touched by whoever holds it.
  struct lease_record {
    std::uint64_t sent = 0;           // requests, over all leases
    std::atomic<bool> leased{false};  // a leased connection gets no PING of ours: it could fall into a MULTI
    bool in_multi = false, watching = false, altered = false;
    std::weak_ptr<redis_pool_core> pool;
    /// A command is sent: what it does to the state that the next holder would find.
    void note(const redis_command &c) noexcept;
  } lease;

  /// Asks with a PING whether the server still answers: a command's time passed in silence.
  void probe();

  /// For every request it holds, oldest first: keep says whether it stays; one that does not has a new owner.
  template <class Keep>
  void filter(Keep keep) {
    sent_.replace([&](redis_request *r) { return keep(*r, true) ? r : nullptr; });
    std::erase_if(unsent_, [&](redis_request *r) {
      if (keep(*r, false)) return false;
      unsent_bytes_ -= r->command.encoded().size();
      return true;
    });
  }

  /// PING when silent for `idle`; an answer later than `overdue` closes. <= 0: never.
  void watch(std::chrono::milliseconds idle, std::chrono::milliseconds overdue);

  loop &home() noexcept { return *loop_; }
  const redis_settings &settings() const noexcept { return *settings_; }

 private:
  enum class state { fresh, connecting, handshake, up, closed };
  class ping_request;

  void resolved(result<resolution::addresses> found);
  void connected(std::unique_ptr<stream> s);
  void begin_handshake();
  void handshake_reply(const redis_reply &r);
  void became_up();

  void flush();
  void write_rest();
  void read();
  bool consume(std::size_t size);
  std::size_t poll();
  void on_read(boost::system::error_code ec, std::size_t size);
  bool take_replies();
  void deliver(redis_reply r);
  void end_of_batch() noexcept override;
  void schedule_flush();
  void arm_watch(clock::time_point when);
  void on_watch();
  void ping();
  void drain_inbox();

  static constexpr std::size_t read_size = 24 * 1024, feed_size = 4096, write_goal = 128 * 1024, kept_output = 16 * 1024,
                               early_flush = 24, early_bytes = 8 * 1024, least_halved = 128;
  static constexpr std::chrono::microseconds near{1000};  // is a server that begins to answer within this

  std::shared_ptr<loop> loop_;
  std::shared_ptr<const redis_settings> settings_;
  std::shared_ptr<redis_counters> counters_;
  owner *owner_;
  mode mode_;
  state state_ = state::fresh;
  std::shared_ptr<resolution> resolving_;
  std::shared_ptr<connect_race> race_;
  std::unique_ptr<stream> stream_;
  boost::asio::steady_timer timer_;  // connect time-out, then the idle watch
  reply_reader reader_;
  std::unique_ptr<char[]> in_;
  std::string out_;
  std::size_t written_ = 0;
  bool writing_ = false, flush_scheduled_ = false, pinging_ = false;
  unsigned handshake_left_ = 0, handshake_at_ = 0;
  request_ring sent_;
  request_list unsent_;
  std::size_t unsent_bytes_ = 0;
  std::size_t worth_a_write_ = early_flush;
  clock::time_point burst_at_{};  // of many requests to a server that had nothing to do; zero: it has begun to answer
  bool is_near_ = false, halves_ = false, holds_ = false;  // holds: what is unsent waits for the first reply
  inbox<redis_request> posted_;
  clock::time_point last_read_{}, opened_at_{};
  std::chrono::milliseconds idle_{0}, overdue_{0};
  busy_poll polling_;
  bool in_replies_ = false;     // its replies are being handed over
  bool asks_on_reply_ = false;  // the newest request came from there: its caller is on this thread, and waits for this alone
  single_writer_counter settled_;
  std::atomic<bool> closed_{false};
  std::shared_ptr<redis_connection> flushing_;  // keeps *this while it is enlisted in a batch
};

}  // namespace corbel::detail
