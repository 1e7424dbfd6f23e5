/// Producer and consumer on the platform's queue, alone and in one fleet with the platform's own workers and reaper.

#include "live/queue_fixture.hpp"
#include "queue/protocol.hpp"
#include "support/platform_lane.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

using namespace corbel;
using namespace corbel::test;

namespace {

struct fleet_fixture : queue_fixture {
  static queue_options options() {
    return {.layout = queue_layout::platform, .tenant = "t", .project = "p", .instance = "ours"};
  }
  void enqueue(const std::string &id, const std::string &conversation = "", const std::string &type = "registered") {
    auto answer = platform_enqueue(server, type, platform_task(id, conversation, type), {.capacity = 1000000});
    REQUIRE(answer.elements.at(0).number == 1);
  }
  long long left(const std::string &type = "registered") {
    return number({"LLEN", platform_queue + type}) + number({"LLEN", platform_queue + "inflight:" + type});
  }
  bool nothing_left() {
    long long sum = number({"HLEN", "t:p:corbel:queue:holders"}) + number({"ZCARD", "t:p:corbel:queue:delayed"});
    for (const char *type : {"privileged", "registered", "anonymous", "paid", "external"}) sum += left(type);
    const auto parked = server.command({"GET", "t:p:corbel:queue:parked"}).text;
    return sum == 0 && (parked.empty() || parked == "0");
  }
};

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

TEST_CASE_FIXTURE(fleet_fixture, "a producer's task is worked by a consumer; its receipt names the task") {
  producer in(pool, options());
  put_item item;
  item.body = platform_task("a", "c", "paid");
  auto receipt = now(in.async_put(std::move(item), boost::asio::use_future));
  REQUIRE_MESSAGE(receipt, receipt.error().message());
  CHECK(receipt->ids == std::vector<std::string>{"a"});
  CHECK(receipt->depth == 1);
  CHECK(now(in.async_depth({}, boost::asio::use_future)).value() == 1);
  consumer out(pool, options());
  auto m = take(out);
  CHECK(m.id() == "a");
  CHECK(m.lane() == "paid");
  CHECK(m.group() == "c");
  CHECK(m.body() == platform_task("a", "c", "paid"));
  CHECK(settled(m));
  CHECK(nothing_left());
}

TEST_CASE_FIXTURE(fleet_fixture, "a put that the fleet cannot hold is refused with the platform's reason") {
  auto o = options();
  o.admission = queue_admission{};
  o.admission->capacity = 2;
  producer in(pool, o);
  auto put = [&](const std::string &id) {
    put_item item;
    item.body = platform_task(id);
    return now(in.async_put(std::move(item), boost::asio::use_future));
  };
  CHECK(put("a"));
  auto refused = put("b");  // floor(2 x 0.8) = 1
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(status::busy));
  CHECK(refused.error().native() == "registered_threshold_exceeded");
}

TEST_CASE_FIXTURE(fleet_fixture, "an idle consumer gets what the platform puts at once, of any user type") {
  consumer out(pool, options());
  for (const char *type : {"external", "privileged", "paid"}) {
    auto waiting = taking(out);
    REQUIRE(until(patience, [&] { return peeking() == 5; }));
    const auto began = std::chrono::steady_clock::now();
    enqueue(type, "", type);
    auto m = now(std::move(waiting));
    REQUIRE(m);
    CHECK(std::chrono::steady_clock::now() - began < 500ms);  // not found by a poll
    CHECK(m->lane() == type);
    CHECK(settled(*m));
  }
}

TEST_CASE_FIXTURE(fleet_fixture, "a wake-up is delivered as its task; one that is ignored is told and never delivered") {
  platform_lane lane(server, "c");
  std::mutex mutex;
  std::vector<std::string> told;
  auto o = options();
  o.ignored = [&](const std::string &id, const std::string &body, const std::string &reason) {
    std::lock_guard lock(mutex);
    told.push_back(id + " " + reason + " " + std::to_string(body.find("task-of-e1") != body.npos));
  };
  consumer out(pool, o);
  lane.put("e1", 1, "w1");
  auto m = take(out);
  CHECK(m.body().find("task-of-e1") != std::string::npos);
  CHECK(settled(m));
  platform_enqueue(server, "registered", lane.wake_up("e1", 1, "w2"), {.capacity = 100});
  enqueue("b");
  auto next = take(out);
  CHECK(next.id() == "b");
  CHECK(settled(next));
  CHECK(until(patience, [&] { return nothing_left(); }));
  std::lock_guard lock(mutex);
  CHECK(told == std::vector<std::string>{"w2 event_already_consumed 1"});
}

TEST_CASE_FIXTURE(fleet_fixture, "a message of a conversation that the platform works comes when that is done") {
  platform_worker theirs(server);
  enqueue("a", "c");
  auto running = theirs.claim("registered");
  REQUIRE(running);
  enqueue("b", "c");
  consumer out(pool, options());
  auto waiting = taking(out);
  REQUIRE(until(patience, [&] { return server.command({"GET", "t:p:corbel:queue:parked"}).text == "1"; }));
  theirs.acknowledge(*running);
  auto m = now(std::move(waiting));
  REQUIRE(m);
  CHECK(m->id() == "b");
  CHECK(settled(*m));
}

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

TEST_CASE_FIXTURE(fleet_fixture, "what a lost process of ours held is worked by another") {
  auto o = options();
  o.lease = 1s;
  for (int i = 0; i < 4; ++i) enqueue("m" + std::to_string(i), "c" + std::to_string(i % 2));
  {
    // A process that claimed and is gone: its claim is made by hand, so nothing gives it back.
    auto by = detail::make_platform_protocol(o, "gone");
    detail::claim_request r{.most = 2, .lease = 1s, .claim = "x", .turns = {{1, 2}}};
    auto call = by->claim(r);
    REQUIRE(now(async_run(pool, call.script, std::move(call.command), {}, boost::asio::use_future)));
    REQUIRE(number({"LLEN", platform_queue + "inflight:registered"}) == 2);
  }
  consumer out(pool, o);
  std::map<std::string, std::uint32_t> attempts;
  for (int i = 0; i < 4; ++i) {
    auto m = take(out);
    attempts[m.id()] = m.attempt();
    CHECK(settled(m));
  }
  CHECK(attempts == std::map<std::string, std::uint32_t>{{"m0", 2}, {"m1", 2}, {"m2", 1}, {"m3", 1}});
  CHECK(until(patience, [&] { return nothing_left(); }));
}

TEST_CASE_FIXTURE(fleet_fixture, "a long message keeps its lease, its lock with it") {
  auto o = options();
  o.lease = 1s;
  consumer out(pool, o);
  enqueue("a", "c");
  auto m = take(out);
  auto lost = m.async_wait_lost(boost::asio::use_future);
  CHECK(lost.wait_for(2500ms) == std::future_status::timeout);
  CHECK(number({"EXISTS", platform_lock + "a", platform_conversation_lock("u", "c")}) == 2);
  server.command({"SET", platform_lock + "a", "another"});
  CHECK(now(std::move(lost)).value());
  CHECK_FALSE(settled(m));
}

TEST_CASE_FIXTURE(fleet_fixture, "user types take turns by their weights") {
  auto o = options();
  o.lanes = {{.name = "privileged", .weight = 3}};
  for (int i = 0; i < 40; ++i) {
    enqueue("p" + std::to_string(i), "", "privileged");
    enqueue("e" + std::to_string(i), "", "external");
  }
  consumer out(pool, o);
  int privileged = 0;
  for (int i = 0; i < 20; ++i) {
    auto m = take(out);
    privileged += m.lane() == "privileged";
    CHECK(settled(m));
  }
  CHECK(privileged >= 12);
  CHECK(privileged < 20);
}

TEST_CASE_FIXTURE(fleet_fixture, "10 MiB in one task, put by either side") {
  const auto large = platform_task("a", "", "registered", ", \"text\": \"" + std::string(10u << 20, 'x') + "\"");
  const auto theirs = platform_task("b", "", "registered", ", \"text\": \"" + std::string(10u << 20, 'y') + "\"");
  producer in(pool, options());
  put_item item;
  item.body = large;
  CHECK(now(in.async_put(std::move(item), boost::asio::use_future)));
  platform_enqueue(server, "registered", theirs);
  consumer out(pool, options());
  for (const auto *body : {&large, &theirs}) {
    auto m = take(out);
    CHECK((m.body() == *body));
    CHECK(settled(m));
  }
  CHECK(nothing_left());
}
