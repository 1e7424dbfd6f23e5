#include "runtime/lag_watch.hpp"

#include <fmt/format.h>

namespace corbel::detail {

namespace {
std::int64_t ms(std::chrono::steady_clock::duration d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}
}  // namespace

lag_watch::lag_watch(const std::vector<std::shared_ptr<loop>> &loops, std::weak_ptr<void> owner, health_table &table)
    : owner_(std::move(owner)), table_(table) {
  for (auto &l : loops) loops_.push_back({l, std::make_unique<boost::asio::steady_timer>(l->context())});
}

void lag_watch::start() {
  const auto now = clock::now();
  {
    std::lock_guard lock(mutex_);
    for (auto &l : loops_) l.due = now + every;
  }
  table_.set(report(now));
  // Weak: what waits in a loop that has ended may not own it.
  for (std::size_t i = 0; i < loops_.size(); ++i)
    loops_[i].home->post([weak = weak_from_this(), i] {
      if (auto self = weak.lock()) self->arm(i);
    });
}

void lag_watch::stop() {
  for (std::size_t i = 0; i < loops_.size(); ++i)
    loops_[i].home->post([weak = weak_from_this(), i] {
      auto self = weak.lock();
      if (!self) return;
      self->loops_[i].stopped = true;
      self->loops_[i].timer->cancel();
    });
}

void lag_watch::arm(std::size_t index) {
  auto &l = loops_[index];
  if (l.stopped) return;
  {
    std::lock_guard lock(mutex_);
    l.due = clock::now() + every;
    l.timer->expires_at(l.due);
  }
  l.timer->async_wait([weak = weak_from_this(), index](const boost::system::error_code &ec) {
    auto self = weak.lock();
    if (!ec && self) self->tick(index);
  });
}

void lag_watch::tick(std::size_t index) {
  auto owner = owner_.lock();
  if (!owner || loops_[index].stopped) return;
  const auto now = clock::now();
  health_report said;
  {
    std::lock_guard lock(mutex_);
    auto &l = loops_[index];
    const auto late = now - l.due;
    lags_.record(late);
    if (late >= l.worst || now - l.worst_at > remembered) l.worst = late, l.worst_at = now;
    l.due = now + every;
  }
  table_.set(report(now));
  arm(index);
}

health_report lag_watch::report(clock::time_point now) {
  health_report r{.part = "runtime", .state = health_state::ok, .required = true, .fresh_for = held, .vital = true};
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    auto &l = loops_[i];
    if (auto late = now - l.due; late > held) {
      r.state = health_state::down;
      r.reason = fmt::format("I/O thread {} is held since {} ms: what runs there must not block", i, ms(late));
      return r;
    }
    if (l.worst > too_late && now - l.worst_at <= remembered && r.state == health_state::ok) {
      r.state = health_state::degraded;
      r.reason = fmt::format("I/O thread {} was held for {} ms: what runs there must not block", i, ms(l.worst));
    }
  }
  return r;
}

}  // namespace corbel::detail
