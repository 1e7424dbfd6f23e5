// The public face of LISTEN.
#include "postgres/listen_hub.hpp"
#include "postgres/pool_core.hpp"

namespace corbel {

pg_listener::pg_listener(const pg_pool &pool, std::size_t max_notices)
    : core_(pool.core()), mailbox_(std::make_shared<detail::pg_mailbox>(max_notices)) {}

pg_listener::~pg_listener() { leave(); }
pg_listener::pg_listener(pg_listener &&) noexcept = default;

pg_listener &pg_listener::operator=(pg_listener &&o) noexcept {
  if (this != &o) {
    leave();
    core_ = std::move(o.core_);
    mailbox_ = std::move(o.mailbox_);
  }
  return *this;
}

void pg_listener::leave() noexcept {
  auto mailbox = std::exchange(mailbox_, nullptr);
  if (mailbox) core_->forget(mailbox);
}

detail::io_executor pg_listener::executor() const { return core_->home().executor(); }

void pg_listener::start_change(bool listen, std::string channel, call c, detail::operation_ptr<void> op) {
  core_->change(mailbox_, listen, std::move(channel), std::move(op), c);
}

void pg_listener::start_receive(detail::operation_ptr<std::vector<pg_notice>> op) {
  if (auto why = core_->runtime().refusal()) return detail::finish(std::move(op), result<std::vector<pg_notice>>(why));
  if (op->cancellable())
    op->on_cancel([weak = std::weak_ptr(mailbox_)] {
      if (auto m = weak.lock()) m->cancel_receive();
    });
  mailbox_->receive(std::move(op));
}

}  // namespace corbel
