// Connecting and the handshake of redis_connection.
#include "io/os_error.hpp"
#include "redis/connection.hpp"
#include "redis/server_error.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <fmt/format.h>

namespace corbel::detail {

void redis_connection::open() {
  state_ = state::connecting;
  const auto limit = settings_->options.connect_timeout;
  timer_.expires_after(limit);
  timer_.async_wait([self = shared_from_this(), limit](boost::system::error_code ec) {
    if (ec || self->state_ == state::up || self->state_ == state::closed) return;
    const char *what = self->state_ == state::handshake ? "did not answer the handshake" : "could not be connected";
    self->close(error(status::unavailable,
                      fmt::format("{} {} within {} ms", self->settings_->address.shown(), what, limit.count()), "redis",
                      "ETIMEDOUT", error::retriable));
  });
  auto &address = settings_->address;
  if (address.kind == redis_address::transport::unix_socket) {
    connect_race::endpoint path = boost::asio::local::stream_protocol::endpoint(address.host);
    race_ = connect_race::start(*loop_, {path}, [this](result<std::unique_ptr<stream>> s) {
      auto keep = shared_from_this();
      if (!s) return close(s.error());
      connected(std::move(*s));
    });
    return;
  }
  resolving_ =
      resolution::start(loop_, address.host, address.port, [weak = weak_from_this()](result<resolution::addresses> found) {
        if (auto self = weak.lock(); self && self->state_ == state::connecting) self->resolved(std::move(found));
      });
}

void redis_connection::resolved(result<resolution::addresses> found) {
  if (!found) return close(found.error());
  race_ = connect_race::start(
      *loop_, connect_race::interleave(*found), [weak = weak_from_this()](result<std::unique_ptr<stream>> s) {
        auto self = weak.lock();
        if (!self || self->state_ != state::connecting) return;
        if (!s) {
          const auto e = s.error();
          return self->close(error(e.code(), fmt::format("{}: {}", self->settings_->address.shown(), e.message()),
                                   e.source(), e.native(), e.flags()));
        }
        self->connected(std::move(*s));
      });
}

void redis_connection::connected(std::unique_ptr<stream> s) {
  stream_ = std::move(s);
  in_.reset(new char[read_size]);
  if (settings_->address.kind != redis_address::transport::tls) return begin_handshake();
  stream_->async_tls_handshake(
      *settings_->tls, settings_->tls_name(), [self = shared_from_this()](boost::system::error_code ec) {
        if (self->state_ == state::closed) return;
        if (ec)
          return self->close(os_error(
              status::unavailable,
              fmt::format("TLS with {} as '{}' failed", self->settings_->address.shown(), self->settings_->tls_name()), ec));
        self->begin_handshake();
      });
}

void redis_connection::begin_handshake() {
  state_ = state::handshake;
  auto &a = settings_->address;
  auto add = [this](const redis_command &c) {
    fmt::format_to(std::back_inserter(out_), "*{}\r\n", c.arguments());
    out_ += c.encoded();
    ++handshake_left_;
  };
  if (!a.password.empty() || !a.user.empty())
    add(a.user.empty() ? redis_command("AUTH", a.password) : redis_command("AUTH", a.user, a.password));
  add(redis_command("CLIENT", "SETNAME", settings_->client_name));
  if (a.database != 0) add(redis_command("SELECT", a.database));
  add(redis_command("PING"));  // LOADING is not up
  written_ = 0;
  write_rest();
  read();
}

void redis_connection::handshake_reply(const redis_reply &r) {
  if (r->type() == redis_node::kind::error) {
    const auto e = server_error(r->text());
    // A server without CLIENT SETNAME (a proxy, an ACL that forbids it) is still usable.
    const bool is_name = e.native() != "NOAUTH" && !e.may_retry() && handshake_left_ >= 2 &&
                         r->text().find("etname") != std::string_view::npos;
    if (!is_name)
      return close(error(e.code(), fmt::format("{} refused the handshake: {}", settings_->address.shown(), e.message()),
                         e.source(), e.native(), e.flags()));
  }
  if (--handshake_left_ == 0) became_up();
}

void redis_connection::became_up() {
  state_ = state::up;
  opened_at_ = last_read_;
  timer_.cancel();
  watch(idle_, overdue_);
  if (owner_) owner_->connection_up(*this);
  if (state_ == state::up) schedule_flush();
}

}  // namespace corbel::detail
