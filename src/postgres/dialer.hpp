#pragma once
/// Owns: making one connection to one of a pool's servers: names are looked up without blocking, addresses tried in the
/// order of the connect plan, libpq's steps followed. Callers: the connection. Thread: the loop's; `done` runs there, once.

#include "io/loop.hpp"
#include "io/resolve.hpp"
#include "postgres/connect_plan.hpp"
#include "postgres/settings.hpp"
#include "postgres/socket_watch.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <libpq-fe.h>
#include <memory>
#include <optional>
#include <vector>

namespace corbel::detail {

struct pg_conn_closer {
  void operator()(PGconn *c) const noexcept { ::PQfinish(c); }
};
using pg_conn_ptr = std::unique_ptr<PGconn, pg_conn_closer>;

class pg_dialer : public std::enable_shared_from_this<pg_dialer> {
 public:
  using clock = std::chrono::steady_clock;
  using callback = std::function<void(result<pg_conn_ptr>)>;

  pg_dialer(std::shared_ptr<loop> where, std::shared_ptr<const pg_settings> settings)
      : loop_(std::move(where)), settings_(std::move(settings)), timer_(loop_->context()), watch_(loop_->context()) {}

  void start(callback done);
  /// Drops the callback.
  void cancel() noexcept;

 private:
  void resolved(std::size_t host, result<resolution::addresses> found);
  void begin();
  void next();
  void step();
  void failed(error why);
  void end(result<pg_conn_ptr> outcome);
  std::string shown() const;

  std::shared_ptr<loop> loop_;
  std::shared_ptr<const pg_settings> settings_;
  callback done_;
  clock::time_point deadline_;
  std::vector<std::shared_ptr<resolution>> resolving_;
  std::vector<std::vector<connect_candidate>> found_;  // by host
  std::size_t unresolved_ = 0;
  error resolve_error_;
  std::optional<connect_plan> plan_;
  connect_plan::attempt attempt_;
  boost::asio::steady_timer timer_;
  pg_conn_ptr conn_;
  socket_watch watch_;  // after conn_: released before libpq closes the socket
};

}  // namespace corbel::detail
