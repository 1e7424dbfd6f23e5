#include "events/listener_hub.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace corbel::detail {

namespace {
thread_local const listener_hub *here = nullptr;
thread_local bool warning_here = false;

double seconds(std::chrono::steady_clock::duration d) { return std::chrono::duration<double>(d).count(); }
}  // namespace

bool listener_hub::is_here() noexcept { return here && !here->forked(); }
bool listener_hub::is_mine() const noexcept { return here == this; }
bool listener_hub::warns_here() const noexcept { return is_mine() && warning_here; }

void listener_hub::run(worker &self) {
  here = this;
  std::unique_lock lock(mutex_);
  while (next(self, lock)) call(self, lock);
  leave(self);
}

/// Waits until this thread has a call to make: self.queue then has a task. False when the thread is to end.
bool listener_hub::next(worker &self, std::unique_lock<std::mutex> &lock) {
  while (phase_ != phase::ended) {
    if (self.own) {
      auto &q = *self.queue;
      if (!q.tasks.empty()) return true;
      if (q.closed || phase_ == phase::leaving) return false;
      q.wake.wait(lock);
    } else if (!active_ && !ready_.empty()) {
      self.queue = std::move(ready_.front());
      ready_.pop_front();
      return true;
    } else if (active_ && common_pending_ > 0) {
      auto slow_at = active_->started + slow_after_;
      if (clock::now() >= slow_at) {
        give_thread(*active_, lock);
      } else {
        watching_ = true;
        work_.wait_until(lock, slow_at);
      }
    } else {
      watching_ = false;
      if (phase_ == phase::leaving) return false;
      work_.wait(lock);
    }
  }
  return false;
}

void listener_hub::call(worker &self, std::unique_lock<std::mutex> &lock) {
  auto q = self.queue;
  if (q->latest == &q->tasks.front()) q->latest = nullptr;
  auto task = std::move(q->tasks.front().task);
  q->tasks.pop_front();
  --pending_;
  ++calls_;
  q->running = self.in_call = true;
  self.started = clock::now();
  if (!self.own) {
    --common_pending_;
    active_ = &self;
    need_worker();
  }
  lock.unlock();
  std::string threw;
  try {
    task();
  } catch (const std::exception &e) {
    threw = *e.what() ? e.what() : "an exception without a text";
  } catch (...) {
    threw = "something that is no std::exception";
  }
  task = nullptr;
  lock.lock();
  --calls_;
  q->running = self.in_call = false;
  if (phase_ == phase::ended) return;
  if (!self.own) {
    if (clock::now() - self.started >= slow_after_) {
      give_thread(self, lock);
    } else {
      active_ = nullptr;
      self.queue.reset();
      if (!q->tasks.empty()) ready_.push_back(q);
    }
  }
  if (!threw.empty()) report(*q, threw, lock);
  if (quiet()) quiet_.notify_all();
  if (phase_ == phase::leaving) work_.notify_all();  // one that watches for slow calls has nothing to wait for any more
}

/// The active thread belongs to its listener from now on; others take over what is common.
void listener_hub::give_thread(worker &slow, std::unique_lock<std::mutex> &lock) {
  auto q = slow.queue;
  slow.own = q->own = true;
  common_pending_ -= q->tasks.size();
  --common_;
  active_ = nullptr;
  need_worker();
  warn(fmt::format("listener '{}' has spent {:.1f} s in one call and now has a thread of its own: return sooner, and do "
                   "long work elsewhere",
                   q->name, seconds(clock::now() - slow.started)),
       lock);
}

void listener_hub::report(listener_queue &q, const std::string &what, std::unique_lock<std::mutex> &lock) {
  // A log receiver that throws would otherwise be given the line about it, throw again, and so on.
  ++q.unreported;
  auto now = clock::now();
  if (q.reported != clock::time_point{} && now - q.reported < std::chrono::seconds(1)) return;
  q.reported = now;
  auto times = std::exchange(q.unreported, 0u);
  warn(times == 1 ? fmt::format("listener '{}' threw: {}", q.name, what)
                  : fmt::format("listener '{}' threw {} times since the last report, lastly: {}", q.name, times, what),
       lock);
}

void listener_hub::warn(std::string text, std::unique_lock<std::mutex> &lock) noexcept {
  if (!warn_ || phase_ == phase::leaving || phase_ == phase::ended) return;
  ++warning_;
  warning_here = true;
  lock.unlock();
  try {
    warn_(std::move(text));
  } catch (...) {  // nobody is left to be told
  }
  warning_here = false;
  lock.lock();
  --warning_;
  quiet_.notify_all();
}

void listener_hub::leave(worker &self) {
  if (!self.own) --common_;
  auto at = std::find_if(workers_.begin(), workers_.end(), [&](auto &w) { return w.get() == &self; });
  if (at == workers_.end()) return;  // stop has taken the handle
  if (self.handle.joinable()) self.handle.detach();
  workers_.erase(at);
}

}  // namespace corbel::detail
