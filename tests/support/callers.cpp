#include "support/callers.hpp"

#include "support/redis_calls.hpp"
#include "support/until.hpp"

#include <boost/asio/post.hpp>

#include <atomic>
#include <mutex>
#include <vector>

namespace corbel::test {

namespace {
struct caller {
  bool counting = false;
  std::uint64_t call = 0;      // number of the last call started
  std::uint64_t answered = 0;  // number of the last call completed
  std::int64_t acknowledged = 0, doubtful = 0;
};
}  // namespace

struct callers::state : std::enable_shared_from_this<callers::state> {
  state(redis_pool p, std::size_t n, call c) : pool(std::move(p)), all(n), options(c) {}

  static std::string key(std::size_t i) { return "counter:" + std::to_string(i); }

  void next(std::size_t i) {
    std::uint64_t number;
    std::string asked;
    {
      std::lock_guard lock(mutex);
      if (stopping) return;
      number = ++all[i].call;
      ++out;
      ++counts.calls;
    }
    asked = std::to_string(i) + ":" + std::to_string(number);
    pool.async_send(all[i].counting ? redis_command("INCR", key(i)) : redis_command("ECHO", asked), options,
                    [self = shared_from_this(), i, number, asked](result<redis_reply> r) {
                      self->note(i, number, asked, r);
                      boost::asio::post(self->pool.executor(), [self, i] { self->next(i); });
                    });
  }

  void note(std::size_t i, std::uint64_t number, const std::string &asked, const result<redis_reply> &r) {
    std::lock_guard lock(mutex);
    auto &c = all[i];
    if (number != c.call || c.answered == number) {
      ++counts.again;
      return;
    }
    c.answered = number;
    --out;
    ++counts.completed;
    completed_now.store(counts.completed, std::memory_order_relaxed);
    if (!r) {
      ++counts.failed[r.error().code()];
      c.doubtful += c.counting && r.error().may_be_applied();
      return;
    }
    c.acknowledged += c.counting;
    bool right = c.counting ? r->root().integer() >= c.acknowledged : r->root().text() == asked;
    counts.wrong += !right;
    ok_now.store(++counts.ok, std::memory_order_relaxed);
  }

  redis_pool pool;
  std::mutex mutex;
  std::vector<caller> all;
  call options;
  callers_report counts;
  std::size_t out = 0;
  bool stopping = false;
  std::atomic<std::size_t> ok_now = 0, completed_now = 0;
};

callers::callers(redis_pool pool, std::size_t count, std::size_t counting, call c)
    : state_(std::make_shared<state>(std::move(pool), count, c)) {
  for (std::size_t i = 0; i < count; ++i) {
    state_->all[i].counting = i < counting;
    boost::asio::post(state_->pool.executor(), [s = state_, i] { s->next(i); });
  }
}

callers::~callers() { stop(std::chrono::seconds(60)); }

std::size_t callers::ok() const noexcept { return state_->ok_now.load(std::memory_order_relaxed); }
std::size_t callers::completed() const noexcept { return state_->completed_now.load(std::memory_order_relaxed); }

bool callers::stop(std::chrono::milliseconds deadline) {
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  return until(deadline, [this] {
    std::lock_guard lock(state_->mutex);
    return state_->out == 0;
  });
}

callers_report callers::report() {
  auto counts = state_->counts;
  for (std::size_t i = 0; i < state_->all.size(); ++i) {
    auto &c = state_->all[i];
    if (!c.counting) continue;
    auto value = ask(state_->pool, redis_command("GET", state::key(i)), {.idempotent = true}).value()->integer();
    counts.uncounted += value < c.acknowledged || value > c.acknowledged + c.doubtful;
  }
  return counts;
}

}  // namespace corbel::test
