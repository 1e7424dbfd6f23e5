// The listening connection's life: taken from the pool's cap when a channel is wanted, made again when lost, given back.
#include "base/random.hpp"
#include "postgres/listen_hub.hpp"

#include <fmt/format.h>

namespace corbel::detail {

using namespace std::chrono_literals;

void pg_listen_hub::connect() {
  if (stopped_ || connection_ || has_slot_ || wants_slot_) return;
  wants_slot_ = true;
  auto go = [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->wants_slot_ = false;
    self->has_slot_ = true;
    self->try_connect();
    self->rest_when_unwanted();
  };
  if (desk_.want_listening_slot(go)) go();
}

void pg_listen_hub::try_connect() {
  if (stopped_ || connection_ || wanted_.empty()) return;
  connection_ = std::make_shared<pg_connection>(loop_, settings_, counters_, blocking_, nullptr, this);
  gate_.enter(connection_, [this, weak = std::weak_ptr(connection_)](connect_gate::turn turn) {
    auto c = weak.lock();
    if (!c || c != connection_) return;
    turn_ = std::move(turn);
    is_connecting_ = true;
    counters_->connecting.add(1);
    c->open();
  });
}

void pg_listen_hub::end_connecting() noexcept {
  if (std::exchange(is_connecting_, false)) counters_->connecting.subtract(1);
  turn_ = {};
}

void pg_listen_hub::connection_up(pg_connection &) {
  end_connecting();
  counters_->listening.add(1);
  counters_->connects.add(1);
  is_up_ = true;
  last_error_ = {};
  plan_.connected(clock::now());
  ++epoch_;
  for (auto &channel : wanted_.all()) send(true, channel);
  check_when_idle();
  rest_when_unwanted();
}

void pg_listen_hub::connection_closed(pg_connection &, const error &why, pg_connection::request_list sent,
                                      pg_connection::request_list unsent) {
  auto keep = shared_from_this();
  const auto connection = std::exchange(connection_, nullptr);
  end_connecting();
  idle_.cancel();
  last_error_ = why;
  if (std::exchange(is_up_, false)) {
    counters_->listening.subtract(1);
    counters_->reconnects.add(1);
    is_restored_ = false;
    tell_all(pg_notice::kind::gap);
  } else {
    counters_->connect_failures.add(1);
  }
  plan_.lost(clock::now());
  wanted_.lost();
  for (auto *r : sent) r->finish(why);
  for (auto *r : unsent) r->finish(why);
  // What the server was to forget it has forgotten.
  std::vector<operation_ptr<void>> done;
  std::deque<waiter> kept;
  for (auto &w : std::exchange(waiting_, {})) {
    if (w.listen && !(why.flags() & error::fatal))
      kept.push_back(std::move(w));
    else if (w.listen) {
      wanted_.leave(w.who, w.channel);
      finish(std::move(w.op), result<void>(why));
    } else {
      done.push_back(std::move(w.op));
    }
  }
  waiting_ = std::move(kept);
  for (auto &op : done) finish(std::move(op), result<void>());
  if (stopped_) return;
  if (wanted_.empty()) return rest_when_unwanted();
  retry_.expires_after(plan_.next_delay(clock::now(), random_unit()));
  retry_.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
    auto self = weak.lock();
    if (ec || !self) return;
    batch_scope batch;
    self->try_connect();
    self->rest_when_unwanted();
  });
}

void pg_listen_hub::rest_when_unwanted() {
  if (stopped_ || !has_slot_ || !wanted_.empty() || !waiting_.empty()) return;
  if (auto c = std::exchange(connection_, nullptr)) {
    if (std::exchange(is_up_, false)) counters_->listening.subtract(1);
    end_connecting();
    c->dismiss(error(status::cancelled, "closed: no channel is wanted", "postgres"));
  }
  retry_.cancel();
  idle_.cancel();
  has_slot_ = false;
  is_restored_ = true;
  desk_.listening_gone();
}

void pg_listen_hub::check_when_idle() {
  const auto &o = settings_->options;
  if (o.idle_check <= 0ms) return;
  idle_.expires_after(o.idle_check);
  idle_.async_wait([weak = weak_from_this(), limit = o.cancel_timeout](boost::system::error_code ec) {
    auto self = weak.lock();
    if (ec || !self || !self->is_up_) return;
    batch_scope batch;
    self->connection_->submit(make_request("", [weak](const error &why) {
      auto hub = weak.lock();
      if (hub && !why && hub->is_up_) hub->check_when_idle();
    }));
    self->idle_.expires_after(limit);
    self->idle_.async_wait([weak, limit](boost::system::error_code overdue) {
      auto hub = weak.lock();
      if (overdue || !hub || !hub->is_up_) return;
      hub->connection_->close(error(status::lost, fmt::format("PostgreSQL did not answer within {} ms", limit.count()),
                                    "postgres", "ETIMEDOUT", error::retriable));
    });
  });
}

void pg_listen_hub::stop(const error &why) {
  stopped_ = true;
  retry_.cancel();
  idle_.cancel();
  end_connecting();
  if (std::exchange(is_up_, false)) counters_->listening.subtract(1);
  if (auto c = std::exchange(connection_, nullptr)) c->dismiss(why);
  for (auto &w : std::exchange(waiting_, {})) finish(std::move(w.op), result<void>(why));
  for (auto &[id, weak] : readers_)
    if (auto reader = weak.lock()) reader->close(error(status::closed, "the pool was closed", "postgres"));
}

}  // namespace corbel::detail
