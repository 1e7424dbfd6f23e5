// Ending what the server runs for callers who have left.
#include "postgres/connection.hpp"

#include <fmt/format.h>

namespace corbel::detail {

bool pg_connection::head_is_abandoned() const noexcept {
  for (std::size_t i = pending_.reading(); i < pending_.size(); ++i)
    if (pending_.at(i).what == pending::kind::statement) return !pending_.at(i).request;
  return false;
}

bool pg_connection::all_abandoned() const noexcept {
  for (std::size_t i = 0; i < pending_.size(); ++i)
    if (pending_.at(i).request) return false;
  return outstanding_ != 0;
}

void pg_connection::cancel_on_server() {
  if (cancelling_ || state_ != state::up) return;
  std::shared_ptr<PGcancel> handle(::PQgetCancel(conn_.get()), [](PGcancel *c) { ::PQfreeCancel(c); });
  if (!handle) return;
  cancelling_ = true;
  counters_->cancels.add(1);
  const auto limit = settings_->options.cancel_timeout;
  blocking_.run(
      loop_, limit,
      [handle] {
        char text[256];
        ::PQcancel(handle.get(), text, sizeof text);
      },
      [weak = weak_from_this(), limit](bool was_sent) {
        auto self = weak.lock();
        if (!self) return;
        batch_scope batch;
        self->cancelling_ = false;
        if (self->state_ != state::up) return;
        if (!was_sent)
          return self->close(error(
              status::lost,
              fmt::format("a cancel request did not get through within {} ms: its connection is closed", limit.count()),
              "postgres", "CANCEL", error::retriable));
        if (!self->unsent_.empty()) self->schedule_flush();
        if (self->owner_) self->owner_->connection_answered(*self, 0, 0);
      });
  await_end();
}

void pg_connection::await_end() {
  const auto limit = settings_->options.cancel_timeout;
  cancel_timer_.expires_after(limit);
  cancel_timer_.async_wait([weak = weak_from_this(), limit](boost::system::error_code ec) {
    auto self = weak.lock();
    if (ec || !self || self->state_ != state::up) return;
    if (!self->head_is_abandoned() && !self->exchange_) return;
    self->close(error(status::lost,
                      fmt::format("a cancelled statement did not end within {} ms: its connection is closed", limit.count()),
                      "postgres", "CANCEL", error::retriable));
  });
}

}  // namespace corbel::detail
