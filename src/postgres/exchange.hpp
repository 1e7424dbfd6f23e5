#pragma once
/// Owns: what has a connection for itself for a while, outside of pipeline mode: a stream of rows, a COPY. Callers: the
/// connection, while it is its exchange; the public handles. Thread: the pool's loop.
///
/// One operation of the handle is under way at a time. When its time is over, it is cancelled, or the handle is freed, the
/// exchange is given up: ended on the server, and what still comes is dropped.

#include <corbel/call.hpp>
#include <corbel/detail/operation.hpp>
#include <corbel/pg_statement.hpp>

#include <boost/asio/steady_timer.hpp>

#include <libpq-fe.h>
#include <memory>

namespace corbel::detail {

class pg_connection;

class pg_exchange : public std::enable_shared_from_this<pg_exchange> {
 public:
  using clock = std::chrono::steady_clock;

  pg_exchange(std::shared_ptr<pg_connection> c, pg_statement s);
  virtual ~pg_exchange();

  // For the connection:
  /// What was before it has ended, and pipeline mode is left: send. False when libpq cannot.
  bool begin();
  void readable();
  virtual void writable() {}
  /// The connection is gone, or was never had.
  void closed(const error &why);
  /// False while the reader has more than it takes: nothing is read from the socket.
  virtual bool wants_input() const noexcept { return true; }
  void give_up(const error &why);

  /// From any thread: fn on the loop.
  template <class F>
  static void run(const std::shared_ptr<pg_exchange> &e, F fn);
  pg_connection &connection() noexcept { return *connection_; }
  io_executor executor() const;

 protected:
  enum class phase { waiting, running, draining, ended };

  /// Takes an operation on: its deadline and its cancelling are watched. False, and it is finished, when one is under way.
  template <class T>
  bool take_on(operation_ptr<T> &place, operation_ptr<T> op, const call &c);
  void done() { timer_.cancel(); }
  virtual bool send();
  virtual void take(PGresult *r) = 0;  // owns it
  virtual void pump();
  /// False while libpq has no result to give: while it copies, it says so again and again.
  virtual bool wants_results() const noexcept { return wants_input(); }
  /// All of it has come.
  virtual void ended() = 0;
  /// Finishes the operation that is under way, if any.
  virtual void fail(const error &why) = 0;
  virtual bool is_idle() const noexcept = 0;
  /// The error of an exchange that has ended early.
  const error &why() const noexcept { return why_; }
  void end();

  std::shared_ptr<pg_connection> connection_;
  pg_statement statement_;
  phase phase_ = phase::waiting;
  error why_;

 private:
  void watch(const call &c);
  void drain();
  boost::asio::steady_timer timer_;
  bool copies_out_ = false;
};

}  // namespace corbel::detail
