#pragma once
/// Owns: how the idle consumers of a process learn that a ready list has something, whoever pushed it: one blocking
/// `BLMOVE list list RIGHT RIGHT` for each list, on a leased connection, shared by all consumers of the pool. It claims
/// nothing: the list stays as it was, and every process that waits is woken. Behind it one of the consumers may send its
/// claim, which then runs at once: a message costs two wake-ups of a process instead of four. Callers: consumer_core.
/// Thread: the pool's I/O thread.
///
/// A connection is leased when somebody waits, and given back when nobody does for a second. Where the pool has none to
/// give, the waiters are told, and poll.

#include <corbel/redis_pool.hpp>

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace corbel::detail {

class peek_hub : public std::enable_shared_from_this<peek_hub> {
 public:
  struct waiter {
    std::vector<std::string> lists;
    std::function<void()> woken;                 ///< one of the lists may have something; the wait is over
    std::function<void(const error &)> refused;  ///< no connection can be had: look for yourself; the wait goes on
    /// May send a claim on the connection, behind the command that waits for a time there, and says whether it did. Its
    /// answer then takes the place of woken. forget() gives up the connection and with it the claim, which the server may
    /// have run or yet run. Empty: it never does. Only for who waits for one list.
    std::function<bool(redis_lease &, std::chrono::milliseconds)> arm = {};
    std::uint64_t armed = 0;  ///< the hub's
  };

  /// The hub of that pool.
  static std::shared_ptr<peek_hub> of(const redis_pool &pool);
  explicit peek_hub(const redis_pool &pool);

  /// The waiter has to live until it is woken or forgotten. Waiting already: nothing changes.
  void wait(waiter &w);
  void forget(waiter &w);
  /// The pool is about to end: all connections go back now.
  void close();

 private:
  struct peek {
    std::string list;
    std::set<waiter *> waiters;
    redis_lease lease;
    bool under_way = false;   // a lease is asked for, or the command is out, or a pause runs
    waiter *armed = nullptr;  // whose claim is behind the command that is out
    std::uint64_t round = 0;  // of the command that is out: the answer of an older one means nothing
    std::chrono::steady_clock::time_point woke;
  };
  void go_on(peek &p);
  void ask(peek &p);
  void block(peek &p);
  void answered(peek &p, const result<redis_reply> &r);
  void pause(peek &p, std::chrono::milliseconds time);
  void arm(peek &p, std::chrono::milliseconds time);
  void wake(peek &p, const waiter *armed);
  void drop(peek &p);
  void watch_unused();

  redis_pool pool_;
  std::map<std::string, peek> peeks_;
  std::minstd_rand random_;
  boost::asio::steady_timer unused_;
  bool watching_unused_ = false, closed_ = false;
  std::uint64_t arms_ = 0;
};

}  // namespace corbel::detail
