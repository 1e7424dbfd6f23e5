#include "events/event_queue.hpp"

#include "events/wake_thread.hpp"

#include <cstring>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace corbel::detail {

/// Completions of this thread's present batch: runs of events for one queue each.
class staged_events final : public batch_scope::task {
 public:
  /// False, and nothing taken, when no batch is under way.
  static bool stage(std::shared_ptr<event_queue> &queue, const corbel_event &ev, std::unique_ptr<event_queue::remnant> &r) {
    auto &mine = here ? *here : first_of_thread();
    if (mine.runs_.empty() && !batch_scope::at_end(batch_scope::wake, mine)) return false;
    if (mine.runs_.empty() || mine.runs_.back().queue != queue)
      mine.runs_.push_back({std::move(queue), mine.events_.size(), nullptr, nullptr});
    else
      queue.reset();
    mine.events_.push_back(ev);
    if (auto *left = r.release()) {
      auto &now = mine.runs_.back();
      if (!now.chain) now.last = left;
      left->after = std::exchange(now.chain, left);
    }
    return true;
  }

  void end_of_batch() noexcept override {
    auto runs = std::exchange(runs_, {});
    auto events = std::exchange(events_, {});
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const auto end = i + 1 < runs.size() ? runs[i + 1].begin : events.size();
      runs[i].queue->append(events.data() + runs[i].begin, end - runs[i].begin, runs[i].chain, runs[i].last);
    }
    runs.clear();
    events.clear();
    if (runs_.empty()) {  // keeps the memory
      runs_ = std::move(runs);
      events_ = std::move(events);
    }
  }

 private:
  /// The thread's object: a pointer is found without a call, an object with a destructor is not.
  [[gnu::tls_model("initial-exec")]] static constinit thread_local staged_events *here;
  static staged_events &first_of_thread() {
    thread_local staged_events mine;
    return *(here = &mine);
  }

  struct run {
    std::shared_ptr<event_queue> queue;
    std::size_t begin;  // of its events
    event_queue::remnant *chain, *last;
  };
  std::vector<run> runs_;
  std::vector<corbel_event> events_;
};

constinit thread_local staged_events *staged_events::here = nullptr;

event_queue::~event_queue() {
  if (forked()) return;
  if (wake_) wake_->stop();
  for (auto &ev : completions_) clear_(ev);
  free_chain(remnants_);
  if (fd_ >= 0) ::close(fd_);
}

void event_queue::free_chain(remnant *chain) noexcept {
  while (chain) delete std::exchange(chain, chain->after);
}

void event_queue::complete(std::shared_ptr<event_queue> queue, const corbel_event &ev, std::unique_ptr<remnant> r) {
  if (batch_scope::active() && staged_events::stage(queue, ev, r)) return;
  corbel_event copy = ev;
  auto *left = r.release();
  queue->append(&copy, 1, left, left);
}

void event_queue::append(corbel_event *first, std::size_t count, remnant *chain, remnant *last) {
  std::unique_lock lock(mutex_);
  if (discarded_) {
    lock.unlock();
    for (std::size_t i = 0; i < count; ++i) clear_(first[i]);
    return free_chain(chain);
  }
  completions_.insert(completions_.end(), first, first + count);
  if (chain) last->after = std::exchange(remnants_, chain);
  became_readable();
  const bool wanted = waiting_ != 0;
  lock.unlock();
  if (wanted) arrived_.notify_one();
}

void event_queue::notify(const std::shared_ptr<source> &s, const std::function<void()> &change) {
  std::lock_guard lock(mutex_);
  if (change) change();
  if (discarded_ || s->listed_) return;
  s->listed_ = true;
  sources_.push_back(s);
  became_readable();
  if (waiting_ != 0) arrived_.notify_one();
}

void event_queue::became_readable() {
  if (std::exchange(readable_, true)) return;
  if (fd_ >= 0) {
    const std::uint64_t one = 1;
    [[maybe_unused]] auto n = ::write(fd_, &one, sizeof one);
  }
  if (wake_) wake_->signal();
}

void event_queue::shut() noexcept {
  std::lock_guard lock(mutex_);
  shut_ = true;
  arrived_.notify_all();
}

void event_queue::discard() noexcept {
  std::deque<corbel_event> dropped;
  std::deque<std::shared_ptr<source>> sources;
  remnant *left = nullptr;
  {
    std::lock_guard lock(mutex_);
    discarded_ = true;
    dropped.swap(completions_);
    sources.swap(sources_);
    left = std::exchange(remnants_, nullptr);
    if (wake_) wake_->stop();
    arrived_.notify_all();
  }
  for (auto &ev : dropped) clear_(ev);
  free_chain(left);
}

int event_queue::descriptor() {
  if (forked()) return -1;
  std::lock_guard lock(mutex_);
  if (fd_ < 0) fd_ = ::eventfd(empty() ? 0 : 1, EFD_NONBLOCK | EFD_CLOEXEC);
  return fd_;
}

std::size_t event_queue::move_out(corbel_event *out, std::size_t count, std::size_t each) {
  const std::size_t known = each < sizeof(corbel_event) ? each : sizeof(corbel_event);
  auto *slot = reinterpret_cast<char *>(out);
  std::size_t n = 0;
  auto put = [&](const corbel_event &ev) {
    std::memcpy(slot, &ev, known);
    if (each > known) std::memset(slot + known, 0, each - known);
    slot += each;
    ++n;
  };
  while (n < count && !completions_.empty()) {
    put(completions_.front());
    completions_.pop_front();
  }
  while (n < count && !sources_.empty()) {
    auto &s = sources_.front();
    corbel_event ev{};
    if (s->next(ev)) {
      put(ev);
    } else {
      s->listed_ = false;
      sources_.pop_front();
    }
  }
  if (empty() && std::exchange(readable_, false) && fd_ >= 0) {
    std::uint64_t count_read;
    [[maybe_unused]] auto r = ::read(fd_, &count_read, sizeof count_read);
  }
  return n;
}

std::size_t event_queue::take(corbel_event *out, std::size_t count, std::size_t each, std::int64_t timeout_ms) {
  if (forked() || count == 0) return 0;
  std::unique_lock lock(mutex_);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms > 0 ? timeout_ms : 0);
  for (;;) {
    if (std::exchange(interrupted_, false)) return 0;
    if (!empty())
      if (auto n = move_out(out, count, each)) {
        auto *left = std::exchange(remnants_, nullptr);
        lock.unlock();
        free_chain(left);
        return n;
      }
    if (timeout_ms == 0 || shut_ || discarded_) return 0;
    ++waiting_;
    bool in_time = true;
    if (timeout_ms < 0)
      arrived_.wait(lock);
    else
      in_time = arrived_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    --waiting_;
    if (!in_time && empty()) return 0;
  }
}

void event_queue::interrupt() noexcept {
  if (forked()) return;
  std::lock_guard lock(mutex_);
  interrupted_ = true;
  arrived_.notify_one();
}

void event_queue::on_wake(std::function<void()> fn) {
  auto next = fn ? wake_thread::start(std::move(fn)) : nullptr;
  std::lock_guard lock(mutex_);
  if (wake_) wake_->stop();
  wake_ = std::move(next);
  if (wake_ && !empty()) wake_->signal();
}

}  // namespace corbel::detail
