/// Our consumers in one fleet with the platform's own workers and reaper.

#include "live/queue_platform_fleet.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

using namespace corbel;
using namespace corbel::test;

namespace {

/// What ran, by whom, and whether two of one conversation ever ran at once.
class journal {
 public:
  void begin(const std::string &conversation) {
    std::lock_guard lock(mutex_);
    if (++running_[conversation] > 1) ++clashes_;
  }
  void end(const std::string &id, const std::string &conversation) {
    std::lock_guard lock(mutex_);
    --running_[conversation];
    ++runs_[id];
  }
  std::size_t done() const {
    std::lock_guard lock(mutex_);
    return runs_.size();
  }
  std::size_t repeated() const {
    std::lock_guard lock(mutex_);
    std::size_t n = 0;
    for (auto &[id, times] : runs_) n += times > 1;
    return n;
  }
  std::size_t clashes() const {
    std::lock_guard lock(mutex_);
    return clashes_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, int> running_, runs_;
  std::size_t clashes_ = 0;
};

std::string conversation_of(int i) { return "c" + std::to_string(i % 10); }

/// Takes, works for a moment and acknowledges, until the drain.
void work(consumer &c, journal &j) {
  for (;;) {
    auto m = now(taking(c));
    if (!m) return;
    const std::string group(m->group());
    j.begin(group);
    std::this_thread::sleep_for(1ms);  // the work
    j.end(m->id(), group);
    settled(*m);
  }
}

void work_as_theirs(platform_worker theirs, journal &j, std::atomic<bool> &stop) {
  while (!stop) {
    auto t = theirs.claim("registered");
    if (!t) {
      std::this_thread::yield();
      continue;
    }
    const auto conversation = t->conversation_lock.substr(t->conversation_lock.rfind(':') + 1);
    j.begin(conversation);
    std::this_thread::sleep_for(1ms);
    j.end(t->id, conversation);
    theirs.acknowledge(*t);
  }
}

struct thread_list {
  std::vector<std::thread> all;
  template <class F>
  void add(F f) {
    all.emplace_back(std::move(f));
  }
  ~thread_list() {
    for (auto &t : all) t.join();
  }
};

}  // namespace

TEST_CASE_FIXTURE(fleet_fixture, "a mixed fleet runs each message once, and one of a conversation at a time") {
  constexpr int count = 400;
  journal j;
  auto o = options();
  o.concurrency = 4;
  o.lease = 1s;  // our reaper passes each second
  std::vector<consumer> ours;
  for (int i = 0; i < 2; ++i) ours.emplace_back(pool, o);
  std::atomic<bool> stop{false};
  {
    thread_list threads;
    for (auto &c : ours)
      for (int i = 0; i < 2; ++i) threads.add([&] { work(c, j); });
    for (const char *name : {"theirs:1", "theirs:2"})
      threads.add([&, name] { work_as_theirs(platform_worker(server, name), j, stop); });
    producer in(pool, options());
    for (int i = 0; i < count; ++i) {
      if (i % 2 == 0) {
        enqueue("m" + std::to_string(i), conversation_of(i));
        continue;
      }
      put_item item;
      item.body = platform_task("m" + std::to_string(i), conversation_of(i));
      CHECK(now(in.async_put(std::move(item), boost::asio::use_future)));
    }
    CHECK(until(patience, [&] { return j.done() == count && nothing_left(); }));
    stop = true;
    for (auto &c : ours) CHECK(drain(c));
  }
  CHECK(j.done() == count);
  CHECK(j.repeated() == 0);
  CHECK(j.clashes() == 0);
}

TEST_CASE_FIXTURE(fleet_fixture, "the platform's reaper beside our consumers makes nothing run twice") {
  constexpr int count = 1000;
  journal j;
  auto o = options();
  o.concurrency = 8;
  consumer ours(pool, o);
  std::atomic<bool> stop{false};
  std::atomic<std::size_t> passes{0};
  {
    thread_list threads;
    for (int i = 0; i < 4; ++i) threads.add([&] { work(ours, j); });
    threads.add([&] {
      platform_worker theirs(server);
      for (; !stop; ++passes) theirs.reap();
    });
    for (int i = 0; i < count; ++i) enqueue("m" + std::to_string(i), i % 3 == 0 ? conversation_of(i) : "");
    CHECK(until(patience, [&] { return j.done() == count && nothing_left(); }));
    stop = true;
    CHECK(drain(ours));
  }
  MESSAGE(passes.load() << " passes of the reaper");
  CHECK(j.done() == count);
  CHECK(j.repeated() == 0);
  CHECK(nothing_left());
}
