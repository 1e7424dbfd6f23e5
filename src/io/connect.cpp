#include "io/connect.hpp"

#include "io/os_error.hpp"

#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace corbel::detail {

std::vector<connect_race::endpoint> connect_race::interleave(const std::vector<boost::asio::ip::tcp::endpoint> &addresses) {
  std::vector<endpoint> first, second, mixed;
  for (auto &a : addresses) (a.protocol() == addresses.front().protocol() ? first : second).emplace_back(a);
  for (std::size_t i = 0; i < first.size() || i < second.size(); ++i) {
    if (i < first.size()) mixed.push_back(first[i]);
    if (i < second.size()) mixed.push_back(second[i]);
  }
  return mixed;
}

namespace {

/// Asio opens sockets that a program started by the host would inherit.
boost::system::error_code open_close_on_exec(stream::socket &s, const connect_race::endpoint &to) {
  const auto protocol = to.protocol();
  const int fd = ::socket(protocol.family(), SOCK_STREAM | SOCK_CLOEXEC, protocol.protocol());
  if (fd < 0) return {errno, boost::system::system_category()};
  boost::system::error_code ec;
  s.assign(protocol, fd, ec);
  if (ec) ::close(fd);
  return ec;
}

/// Where nobody listens, a port of the range that clients are given can be the client's own: TCP then connects it to itself
/// (RFC 9293, simultaneous open), and the server could not come back to its port.
bool is_connected_to_itself(stream &s) {
  boost::system::error_code ec;
  const auto mine = s.lowest().local_endpoint(ec);
  return !ec && mine == s.lowest().remote_endpoint(ec) && !ec;
}

}  // namespace

connect_race::connect_race(loop &where, std::vector<endpoint> endpoints, callback done)
    : loop_(where), endpoints_(std::move(endpoints)), timer_(where.context()), done_(std::move(done)) {}

std::shared_ptr<connect_race> connect_race::start(loop &where, std::vector<endpoint> endpoints, callback done) {
  std::shared_ptr<connect_race> self(new connect_race(where, std::move(endpoints), std::move(done)));
  self->try_next();
  return self;
}

void connect_race::try_next() {
  const std::size_t index = running_.size();
  if (index == endpoints_.size()) return;
  running_.push_back(std::make_unique<stream>(loop_.context()));
  ++under_way_;
  if (auto ec = open_close_on_exec(running_[index]->lowest(), endpoints_[index]); ec)
    return loop_.post([self = shared_from_this(), index, ec] { self->tried(index, ec); });
  running_[index]->lowest().async_connect(
      endpoints_[index], [self = shared_from_this(), index](boost::system::error_code ec) { self->tried(index, ec); });
  if (index + 1 == endpoints_.size()) return;
  timer_.expires_after(stagger);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec && self->done_) self->try_next();
  });
}

void connect_race::tried(std::size_t index, boost::system::error_code ec) {
  --under_way_;
  if (!done_) return;
  if (!ec && is_connected_to_itself(*running_[index])) ec = boost::asio::error::connection_refused;
  if (!ec) {
    auto winner = std::move(running_[index]);
    auto done = std::move(done_);
    cancel();
    winner->tune();
    return done(std::move(winner));
  }
  last_error_ = ec;
  running_[index].reset();
  if (running_.size() < endpoints_.size()) {
    timer_.cancel();
    return try_next();
  }
  if (under_way_ != 0) return;
  auto done = std::move(done_);
  cancel();
  done(os_error(status::unavailable, "cannot connect", last_error_));
}

void connect_race::cancel() noexcept {
  done_ = nullptr;
  timer_.cancel();
  for (auto &s : running_)
    if (s) s->close();
}

}  // namespace corbel::detail
