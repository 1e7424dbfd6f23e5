#include "events/wake_thread.hpp"

#include <thread>

namespace corbel::detail {

namespace {
thread_local bool on_wake_thread = false;
}

bool wake_thread::is_here() noexcept { return on_wake_thread; }

std::shared_ptr<wake_thread> wake_thread::start(std::function<void()> fn) {
  auto self = std::make_shared<wake_thread>();
  self->fn_ = std::move(fn);
  std::thread([self] { self->run(); }).detach();
  return self;
}

void wake_thread::signal() noexcept {
  {
    std::lock_guard lock(mutex_);
    pending_ = true;
  }
  changed_.notify_one();
}

void wake_thread::stop() noexcept {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_one();
}

void wake_thread::run() {
  on_wake_thread = true;
  auto fn = std::move(fn_);
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return pending_ || stopped_; });
    if (stopped_) break;
    pending_ = false;
    lock.unlock();
    fn();
    lock.lock();
  }
  lock.unlock();
  fn = nullptr;
}

}  // namespace corbel::detail
