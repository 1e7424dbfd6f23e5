#include "io/offload.hpp"

#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

namespace corbel::detail {

struct offload::shared {
  std::mutex mutex;
  std::deque<std::function<void()>> jobs;
  unsigned threads = 0, most = 0;
};

namespace {

/// Who ends first, the work or the deadline, tells.
struct job {
  job(loop &l, offload::callback d) : timer(l.context()), done(std::move(d)) {}
  void tell(bool ran) {
    timer.cancel();
    if (auto fn = std::exchange(done, nullptr)) fn(ran);
  }
  boost::asio::steady_timer timer;
  offload::callback done;
};

}  // namespace

offload::offload(unsigned most) : shared_(std::make_shared<shared>()) { shared_->most = most; }

offload::~offload() {
  std::lock_guard lock(shared_->mutex);
  shared_->jobs.clear();
}

void offload::run(const std::shared_ptr<loop> &where, std::chrono::milliseconds deadline, std::function<void()> work,
                  callback done) {
  auto j = std::make_shared<job>(*where, std::move(done));
  j->timer.expires_after(deadline);
  j->timer.async_wait([j](boost::system::error_code ec) {
    if (!ec) j->tell(false);
  });
  // Only the loop holds the job: its timer must not outlive the loop.
  auto whole = [work = std::move(work), told = std::weak_ptr(j), weak = std::weak_ptr(where)] {
    work();
    if (auto home = weak.lock())
      home->post([told] {
        if (auto alive = told.lock()) alive->tell(true);
      });
  };
  std::lock_guard lock(shared_->mutex);
  shared_->jobs.emplace_back(std::move(whole));
  if (shared_->threads == shared_->most) return;
  try {
    std::thread([s = shared_] {
      for (;;) {
        std::function<void()> next;
        {
          std::lock_guard inner(s->mutex);
          if (s->jobs.empty()) {
            --s->threads;
            return;
          }
          next = std::move(s->jobs.front());
          s->jobs.pop_front();
        }
        next();
      }
    }).detach();
    ++shared_->threads;
  } catch (const std::system_error &) {
    // No thread now: a running one takes the job, or its deadline ends it.
  }
}

}  // namespace corbel::detail
