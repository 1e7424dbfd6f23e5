#include "events/listener_hub.hpp"

#include "events/listener_thread.hpp"

#include <fmt/format.h>

#include <csignal>
#include <exception>
#include <pthread.h>
#include <system_error>

namespace corbel::detail {

listener_hub::listener_hub(std::function<void(std::string)> warn, clock::duration slow_after)
    : warn_(std::move(warn)), slow_after_(slow_after) {}

bool listener_hub::post(const queue_ptr &q, std::function<void()> task, bool latest) {
  std::lock_guard lock(mutex_);
  if (q->closed || phase_ == phase::leaving || phase_ == phase::ended) return false;
  if (latest && q->latest) {
    q->latest->task.swap(task);
    return true;
  }
  if (!latest && q->tasks.size() >= listener::max_tasks) {
    ++q->refused;
    return false;
  }
  q->tasks.push_back({std::move(task), latest});
  if (latest) q->latest = &q->tasks.back();
  ++pending_;
  if (q->own) {
    if (!q->running) q->wake.notify_one();
    return true;
  }
  ++common_pending_;
  if (!q->running && q->tasks.size() == 1) ready_.push_back(q);
  need_worker();
  return true;
}

void listener_hub::close(const queue_ptr &q, bool drop) {
  std::deque<listener_queue::entry> dropped;
  std::lock_guard lock(mutex_);
  q->closed = true;
  if (drop) dropped = take_tasks(*q);
  if (q->own) q->wake.notify_one();
  if (quiet()) quiet_.notify_all();
}

std::uint64_t listener_hub::refused(const queue_ptr &q) const {
  std::lock_guard lock(mutex_);
  return q->refused;
}

void listener_hub::stop(clock::duration timeout) {
  if (is_mine()) return end_when_idle();
  std::list<std::deque<listener_queue::entry>> dropped;
  std::vector<std::thread> ending;
  {
    std::unique_lock lock(mutex_);
    if (phase_ != phase::open) return;
    phase_ = phase::draining;
    quiet_.wait_until(lock, clock::now() + timeout, [this] { return quiet(); });
    phase_ = phase::ended;
    while (!ready_.empty()) dropped.push_back(take_tasks(*queue_ptr(ready_.front())));
    for (auto &w : workers_) {
      if (w->queue) {
        dropped.push_back(take_tasks(*w->queue));
        w->queue->wake.notify_all();
      }
      if (w->in_call) {
        w->handle.detach();
      } else {
        ending.push_back(std::move(w->handle));
      }
    }
    workers_.clear();
    work_.notify_all();
  }
  dropped.clear();
  for (auto &t : ending) t.join();
}

void listener_hub::end_when_idle() {
  std::unique_lock lock(mutex_);
  if (phase_ != phase::open) return;
  phase_ = phase::leaving;
  for (auto &w : workers_) {
    w->handle.detach();
    if (w->queue) w->queue->wake.notify_all();
  }
  work_.notify_all();
  auto mine = warns_here() ? 1u : 0u;
  quiet_.wait(lock, [this, mine] { return warning_ == mine; });
}

std::deque<listener_queue::entry> listener_hub::take_tasks(listener_queue &q) {
  auto taken = std::move(q.tasks);
  q.tasks.clear();
  q.latest = nullptr;
  pending_ -= taken.size();
  if (!q.own) {
    common_pending_ -= taken.size();
    std::erase_if(ready_, [&q](const queue_ptr &r) { return r.get() == &q; });
  }
  return taken;
}

void listener_hub::need_worker() {
  if (common_pending_ == 0 || phase_ == phase::ended || (active_ && watching_)) return;
  if (common_ < (active_ ? 2u : 1u)) return start_worker();
  watching_ = active_ != nullptr;
  work_.notify_one();
}

void listener_hub::start_worker() {
  // All signals are blocked there: they are for the host's threads, and a closed standard output must not kill it.
  auto w = std::make_shared<worker>();
  workers_.push_back(w);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    w->handle = std::thread([hub = shared_from_this(), w] { hub->run(*w); });
    pthread_setname_np(w->handle.native_handle(), "corbel-listen");
    if (phase_ == phase::leaving) w->handle.detach();
    ++common_;
    watching_ = active_ != nullptr;
  } catch (const std::system_error &) {
    workers_.pop_back();  // no thread to be had now: the next task tries again
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace corbel::detail
