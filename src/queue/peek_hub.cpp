#include "queue/peek_hub.hpp"

#include "base/batch.hpp"
#include "redis/pool_core.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <mutex>

namespace corbel::detail {

using namespace std::chrono_literals;

namespace {
/// Long, so that idling costs next to nothing; random, so that processes do not step together.
constexpr std::chrono::milliseconds block_time{8000}, block_jitter{4000}, lease_patience{1000}, keep_unused{1000};
/// Where the pool has no connection to give, and where one was lost or the server is away.
constexpr std::chrono::milliseconds refused_pause{5000}, lost_pause{100};
}  // namespace

std::shared_ptr<peek_hub> peek_hub::of(const redis_pool &pool) {
  static auto &mutex = *new std::mutex;
  static auto &hubs = *new std::map<const redis_pool_core *, std::weak_ptr<peek_hub>>;
  std::lock_guard lock(mutex);
  std::erase_if(hubs, [](const auto &h) { return h.second.expired(); });
  auto &known = hubs[pool.core().get()];
  auto hub = known.lock();
  if (!hub) known = hub = std::make_shared<peek_hub>(pool);
  return hub;
}

peek_hub::peek_hub(const redis_pool &pool) : pool_(pool), random_(std::random_device{}()), unused_(pool.executor()) {}

void peek_hub::wait(waiter &w) {
  if (closed_) return;
  for (const auto &list : w.lists) {
    auto &p = peeks_[list];
    p.list = list;
    p.waiters.insert(&w);
    if (!p.under_way) go_on(p);
  }
}

void peek_hub::forget(waiter &w) {
  for (auto &[list, p] : peeks_) {
    const bool armed = p.armed == &w, waited = p.waiters.erase(&w) > 0;
    if (armed || (waited && p.waiters.empty())) drop(p);
    if (armed && !p.waiters.empty()) go_on(p);
  }
}

/// A command that is out is given up with its connection.
void peek_hub::drop(peek &p) {
  ++p.round;
  p.armed = nullptr;
  if (p.lease) p.under_way = false;
  p.lease.release();
}

void peek_hub::close() {
  closed_ = true;
  unused_.cancel();
  for (auto &[list, p] : peeks_) {
    p.waiters.clear();
    drop(p);
  }
}

void peek_hub::go_on(peek &p) {
  if (closed_ || p.waiters.empty()) {
    p.under_way = false;
    p.lease.release();
    return;
  }
  p.under_way = true;
  if (p.lease)
    block(p);
  else
    ask(p);
}

void peek_hub::ask(peek &p) {
  pool_.async_lease({.timeout = lease_patience}, [self = shared_from_this(), &p](result<redis_lease> lease) {
    if (self->closed_) return;
    if (lease) {
      p.lease = std::move(*lease);
      return self->go_on(p);
    }
    if (!lease.error().is(status::busy)) return self->pause(p, lost_pause);
    for (auto *w : std::vector<waiter *>(p.waiters.begin(), p.waiters.end()))
      if (p.waiters.contains(w)) w->refused(lease.error());
    self->pause(p, refused_pause);
  });
}

void peek_hub::block(peek &p) {
  const auto time =
      block_time + std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(0, block_jitter.count())(random_));
  batch_scope batch;
  redis_command command("BLMOVE", p.list, p.list, "RIGHT", "RIGHT");
  command.push(fmt::format("{:.3f}", std::chrono::duration<double>(time).count()));
  p.lease.async_send(std::move(command), {.timeout = time + 5s},
                     [self = shared_from_this(), &p, round = ++p.round](result<redis_reply> r) {
                       if (round == p.round) self->answered(p, r);
                     });
  arm(p, time + 5s);
}

/// The one whose turn is the longest ago.
void peek_hub::arm(peek &p, std::chrono::milliseconds time) {
  std::vector<waiter *> all;
  for (auto *w : p.waiters)
    if (w->arm && w->lists.size() == 1) all.push_back(w);
  std::sort(all.begin(), all.end(), [](const waiter *a, const waiter *b) { return a->armed < b->armed; });
  for (auto *w : all) {
    if (!w->arm(p.lease, time)) continue;
    w->armed = ++arms_;
    p.armed = w;
    return;
  }
}

void peek_hub::answered(peek &p, const result<redis_reply> &r) {
  if (closed_) return;
  const auto *armed = std::exchange(p.armed, nullptr);
  if (!r) {
    p.lease.release();
    return pause(p, lost_pause);
  }
  batch_scope batch;
  if (!r->root().is_nil()) {
    p.under_way = false;  // the connection is kept: who is woken will soon wait again
    return wake(p, armed);
  }
  if (!armed) return go_on(p);
  // The claim's answer stands behind this one: who sent it can send the next.
  boost::asio::post(pool_.executor(), [self = shared_from_this(), &p, round = p.round] {
    if (round == p.round && !self->closed_) self->go_on(p);
  });
}

void peek_hub::pause(peek &p, std::chrono::milliseconds time) {
  auto timer = std::make_shared<boost::asio::steady_timer>(pool_.executor(), time);
  timer->async_wait([self = shared_from_this(), &p, timer](const boost::system::error_code &) {
    if (!self->closed_) self->go_on(p);
  });
}

void peek_hub::wake(peek &p, const waiter *armed) {
  p.woke = std::chrono::steady_clock::now();
  for (auto *w : std::vector<waiter *>(p.waiters.begin(), p.waiters.end())) {
    if (!p.waiters.contains(w)) continue;
    for (auto &[list, other] : peeks_) other.waiters.erase(w);
    if (w != armed) w->woken();
  }
  watch_unused();
}

void peek_hub::watch_unused() {
  if (std::exchange(watching_unused_, true)) return;
  unused_.expires_after(keep_unused);
  unused_.async_wait([weak = weak_from_this()](const boost::system::error_code &cancelled) {
    auto self = weak.lock();
    if (cancelled || !self || self->closed_) return;
    self->watching_unused_ = false;
    const auto now = std::chrono::steady_clock::now();
    for (auto &[list, p] : self->peeks_) {
      if (p.under_way || !p.lease) continue;
      if (now - p.woke >= keep_unused)
        p.lease.release();
      else
        self->watch_unused();
    }
  });
}

}  // namespace corbel::detail
