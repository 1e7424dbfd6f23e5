#include "events/listener_batch.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <iterator>
#include <utility>

namespace corbel::detail {

namespace {
// Longer would count as a slow listener, which one slow task is, and many quick ones are not.
constexpr std::chrono::milliseconds longest_turn{50};
constexpr std::size_t at_once = 64;
}  // namespace

struct listener_batch::turn {
  explicit turn(std::shared_ptr<listener_batch> b) : batch(std::move(b)) {}
  turn(const turn &) = delete;
  turn &operator=(const turn &) = delete;
  ~turn() {
    if (batch) batch->lose();
  }
  void run() { std::exchange(batch, nullptr)->run(); }
  std::shared_ptr<listener_batch> batch;
};

bool listener_batch::post(task t) {
  if (stamp_.forked()) return false;
  std::lock_guard lock(mutex_);
  if (tasks_.size() >= listener::max_tasks) return false;
  tasks_.push_back(std::move(t));
  if (asked_ || (asked_ = ask())) return true;
  tasks_.pop_back();
  return false;
}

bool listener_batch::ask() {
  auto t = std::make_shared<turn>(shared_from_this());
  if (to_->post([t] { t->run(); })) return true;
  t->batch = nullptr;
  return false;
}

void listener_batch::run() {
  const auto end = std::chrono::steady_clock::now() + longest_turn;
  std::exception_ptr thrown;
  std::deque<task> some, lost;  // end outside the lock
  while (take(some, thrown || std::chrono::steady_clock::now() > end, lost))
    while (!some.empty() && !thrown && std::chrono::steady_clock::now() <= end) try {
        auto next = std::move(some.front());
        some.pop_front();
        next();
      } catch (...) {
        thrown = std::current_exception();
      }
  if (thrown) std::rethrow_exception(thrown);
}

bool listener_batch::take(std::deque<task> &some, bool enough, std::deque<task> &lost) {
  std::lock_guard lock(mutex_);
  tasks_.insert(tasks_.begin(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
  some.clear();
  if (tasks_.empty()) return asked_ = false;
  if (enough) {
    asked_ = ask();
    if (!asked_) lost.swap(tasks_);
    return false;
  }
  // Several at once, or who posts would meet the lock held all the time.
  const auto last = tasks_.begin() + static_cast<std::ptrdiff_t>(std::min(tasks_.size(), at_once));
  some.assign(std::make_move_iterator(tasks_.begin()), std::make_move_iterator(last));
  tasks_.erase(tasks_.begin(), last);
  return true;
}

void listener_batch::lose() {
  std::deque<task> lost;  // ends outside the lock
  std::lock_guard lock(mutex_);
  lost.swap(tasks_);
  asked_ = false;
}

}  // namespace corbel::detail
