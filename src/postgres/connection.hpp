#pragma once
/// Owns: one connection to PostgreSQL, from connect to close: statements in order in libpq's pipeline mode, each with its
/// own sync but for runs of read-only ones, which share one; the cache of prepared statements; streams and COPY between
/// them. Callers: the desk or the listen hub, as its owner. It never reconnects. Thread: the pool's loop; post_request is
/// for any thread. What it still holds when it closes is handed to its owner, who decides what becomes of it.

#include "base/batch.hpp"
#include "base/inbox.hpp"
#include "io/busy_poll.hpp"
#include "io/loop.hpp"
#include "io/offload.hpp"
#include "postgres/counters.hpp"
#include "postgres/dialer.hpp"
#include "postgres/pending_ring.hpp"
#include "postgres/settings.hpp"
#include "postgres/share_plan.hpp"
#include "postgres/statement_cache.hpp"

#include <corbel/detail/pg_request.hpp>
#include <corbel/log.hpp>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>

namespace corbel::detail {

class pg_pool_core;
class pg_exchange;

class pg_connection final : public std::enable_shared_from_this<pg_connection>, private batch_scope::task {
 public:
  using clock = std::chrono::steady_clock;
  using request_list = std::deque<pg_request *>;
  using notice_function = std::function<void(log_level, std::string text, const char *sqlstate)>;

  class owner {
   public:
    virtual void connection_up(pg_connection &c) = 0;
    /// Once, after which the owner is not called again. sent: their fate is unknown; unsent: the server did not run them.
    /// The owner owns them now.
    virtual void connection_closed(pg_connection &c, const error &why, request_list sent, request_list unsent) = 0;
    /// So many statements were answered, or drained after they were abandoned.
    virtual void connection_answered(pg_connection &, std::uint32_t /*answered*/, std::uint32_t /*abandoned*/) {}
    /// A statement that the server did not run, because of another one's error: to be sent again.
    virtual void connection_again(pg_connection &c, pg_request *r) = 0;
    virtual void connection_deadline(clock::time_point) {}
    /// No other connection of the owner is used now.
    virtual bool connection_is_alone() const { return false; }
    virtual void connection_notify(pg_connection &, const char * /*channel*/, const char * /*payload*/, int /*backend*/) {}

   protected:
    ~owner() = default;
  };

  pg_connection(std::shared_ptr<loop> where, std::shared_ptr<const pg_settings> settings,
                std::shared_ptr<pg_counters> counters, offload &blocking, notice_function notice, owner *o);
  ~pg_connection();

  void open();
  /// Closes; the owner is told.
  void close(error why);
  /// Closes and forgets the owner; what it still holds fails with `why`.
  void dismiss(const error &why);

  void submit(pg_request *r);
  /// From any thread, in order with each other.
  void post_request(pg_request *r);
  /// Runs when everything before it is answered; what comes after it waits for its end.
  void submit(std::shared_ptr<pg_exchange> e);

  bool is_up() const noexcept { return state_ == state::up; }
  bool is_closed() const noexcept { return closed_.load(std::memory_order_acquire); }
  /// Statements sent and not answered, abandoned ones too; and all that it holds.
  std::uint32_t outstanding() const noexcept { return outstanding_; }
  std::size_t under_way() const noexcept { return outstanding_ + unsent_.size() + (exchange_ ? 1 : 0); }
  bool in_transaction() const noexcept { return transaction_.load(std::memory_order_acquire); }
  clock::time_point opened_at() const noexcept { return opened_at_; }
  int backend() const noexcept { return backend_; }
  loop &home() noexcept { return *loop_; }
  const std::shared_ptr<loop> &home_ptr() const noexcept { return loop_; }
  const pg_settings &settings() const noexcept { return *settings_; }

  enum class restoring_step { none, draining, asking, rolled_back, discarded_all };
  /// What its desk keeps of it.
  struct desk_record {
    std::weak_ptr<pg_pool_core> pool;
    std::atomic<std::uint64_t> lease{0};       // counts its holders, and their ends
    share_plan::slot slot = share_plan::none;  // on the loop
    clock::time_point old_at = clock::time_point::max();
    std::atomic<std::uint64_t> given{0};  // statements and exchanges, over all leases
    clock::time_point idle_since{};       // zero: used since
    restoring_step restoring = restoring_step::none;
  } desk;
  /// Statements and exchanges of leases that have ended. Any thread.
  std::uint64_t settled() const noexcept { return settled_.value(); }

  /// For every request it holds, oldest first: keep says whether it stays; one that does not has a new owner, and its answer
  /// is dropped. keep: bool(pg_request &, bool was_sent).
  struct let_go {
    std::uint32_t sent = 0, unsent = 0;
  };
  template <class Keep>
  let_go filter(Keep keep) {
    let_go gone;
    pending_.for_each([&](pending &p) {
      if (!p.request || keep(*p.request, true)) return;
      p.request = nullptr;
      ++gone.sent;
    });
    gone.unsent = static_cast<std::uint32_t>(
        std::erase_if(unsent_, [&](const item &i) { return i.request && !keep(*i.request, false); }));
    settled_.add(gone.unsent);
    return gone;
  }
  /// The statement that the server works on now was abandoned.
  bool head_is_abandoned() const noexcept;
  /// Everything outstanding was abandoned.
  bool all_abandoned() const noexcept;
  /// Asks the server to cancel what it runs; closes when that has no effect within the cancel time-out. Once at a time.
  void cancel_on_server();
  /// Closes when what was asked to end has not ended within the cancel time-out.
  void await_end();
  bool is_cancelling() const noexcept { return cancelling_; }
  const std::shared_ptr<pg_exchange> &exchange() const noexcept { return exchange_; }
  void forget_prepared() noexcept { cache_.clear(); }

  // For the exchange that has the connection for itself:
  PGconn *native() noexcept { return conn_.get(); }
  void exchange_ended();
  void flush_output();
  bool wants_write() const noexcept { return writing_; }
  void read_more();

 private:
  enum class state { fresh, connecting, up, closed };
  struct item {
    pg_request *request = nullptr;
    std::shared_ptr<pg_exchange> exchange;
  };

  void dialed(result<pg_conn_ptr> c);
  void schedule_flush();
  void flush();
  bool send(pg_request *r);
  void send_failed();
  bool send_deallocate(std::uint64_t number);
  bool sync();
  void end_of_batch() noexcept override;
  void drain_inbox();
  void on_readable(boost::system::error_code ec);
  bool consume();
  bool poll();
  void take_results();
  void take_result(PGresult *r);
  void end_group();
  void end_statement(pending &p, const error &prepare_error, const error &group_error, bool is_alone);
  bool to_repeat(pending &p, const error &why);
  void take_notifications();
  void publish_transaction() noexcept;
  bool begin_exchange();
  error lost_error(const char *what);
  static void on_notice(void *self, const PGresult *r);

  std::shared_ptr<loop> loop_;
  std::shared_ptr<const pg_settings> settings_;
  std::shared_ptr<pg_counters> counters_;
  offload &blocking_;
  notice_function notice_;
  owner *owner_;
  state state_ = state::fresh;
  std::shared_ptr<pg_dialer> dialer_;
  pg_conn_ptr conn_;
  socket_watch watch_;  // after conn_: released before libpq closes the socket
  statement_cache cache_;
  pending_ring pending_;
  std::deque<item> unsent_;
  std::shared_ptr<pg_exchange> exchange_;
  inbox<pg_request> posted_;
  std::shared_ptr<pg_connection> flushing_;  // keeps *this while it is enlisted in a batch
  std::vector<std::uint64_t> to_deallocate_;
  std::vector<const char *> values_;
  std::vector<int> sizes_, formats_;
  std::vector<Oid> types_;
  std::uint32_t outstanding_ = 0, answered_ = 0, drained_ = 0;
  bool flush_scheduled_ = false, writing_ = false, reading_ = false, cancelling_ = false, is_tcp_ = false;
  busy_poll polling_;
  bool in_results_ = false;
  bool asks_on_result_ =
      false;  // the newest statement came from there: its caller is on this thread, and waits for this alone

  bool session_ended_ = false;  // the server said so: what it has not answered it has not run
  error farewell_;
  boost::asio::steady_timer cancel_timer_;
  clock::time_point opened_at_{};
  int backend_ = 0;
  single_writer_counter settled_;
  std::atomic<bool> closed_{false}, transaction_{false};
};

}  // namespace corbel::detail
