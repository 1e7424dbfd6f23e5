/// A producer's admission and a consumer's concurrency, changed while they run.

#include "live/queue_fixture.hpp"

#include <boost/asio/detached.hpp>

#include <semaphore>
#include <thread>

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;

namespace {

std::string outcome(producer &in) {
  put_item item{.body = "x"};
  auto r = now(in.async_put(std::move(item), asio::use_future));
  return r ? "put" : r.error().native();
}

queue_admission held_by(std::uint64_t capacity) { return {.capacity = capacity, .hard = 1}; }

}  // namespace

TEST_CASE_FIXTURE(queue_fixture, "other rules of admission count for the next put, and none take everything") {
  producer in(pool, {.name = "work", .admission = held_by(1)});
  CHECK(outcome(in) == "put");
  CHECK(outcome(in) == "hard_limit_exceeded");
  in.set_admission(held_by(3));
  CHECK(outcome(in) == "put");
  CHECK(outcome(in) == "put");
  CHECK(outcome(in) == "hard_limit_exceeded");
  in.set_admission(queue_admission{.capacity = 100, .max_queue_size = 3});
  CHECK(outcome(in) == "queue_size_exceeded");
  in.set_admission({});
  for (int i = 0; i < 3; ++i) CHECK(outcome(in) == "put");
  in.set_admission(held_by(6));
  CHECK(outcome(in) == "hard_limit_exceeded");
  CHECK(ready() == 6);
}

TEST_CASE_FIXTURE(queue_fixture, "other heartbeats count at once where the rules name another service") {
  producer in(pool, {.name = "work", .admission = queue_admission{.tenant = "t", .project = "p", .service = "chat:proc"}});
  CHECK(outcome(in) == "no_healthy_processes");
  server.command({"ZADD", "t:p:kdcube:system:capacity:process-index:kb:index", "9999999999", "one"});
  server.command({"SET", "one",
                  R"({"service_type": "kb", "service_name": "index", "current_load": 0, "max_capacity": 2,)"
                  R"( "last_heartbeat": 9999999999.5, "health_status": "healthy"})"});
  in.set_admission(queue_admission{.tenant = "t", .project = "p", .service = "kb:index"});
  CHECK(outcome(in) == "put");
  CHECK(until(patience, [&] { return ready() == 1; }));
}

TEST_CASE_FIXTURE(queue_fixture, "wrong rules are refused by name, and those of before stay") {
  producer in(pool, {.name = "work", .admission = held_by(1)});
  auto why = [&](queue_admission a) -> std::string {
    try {
      in.set_admission(std::move(a));
    } catch (const failure &f) {
      CHECK(f.error().is(status::invalid));
      return f.what();
    }
    return "accepted";
  };
  CHECK(why({.capacity = 5, .hard = 1.5}) == "admission.hard is 1.5: give 0 to 1");
  CHECK(why({}) ==
        "admission has neither a capacity nor a tenant and a project, whose heartbeats would tell it: give one of them");
  CHECK(outcome(in) == "put");
  CHECK(outcome(in) == "hard_limit_exceeded");
}

TEST_CASE_FIXTURE(queue_fixture, "rules may change on any thread while puts are under way: each goes by one of them") {
  producer in(pool, {.name = "work"});
  std::counting_semaphore<> turn{0};  // a change beside each put
  std::jthread changing([&] {
    for (int i = 0; i < 500; ++i) {
      turn.acquire();
      if (i % 2 == 0)
        in.set_admission({});
      else
        in.set_admission(held_by(0));
    }
  });
  long long put = 0, refused = 0;
  for (int i = 0; i < 500; ++i) {
    turn.release();
    const auto what = outcome(in);
    put += what == "put";
    refused += what == "no_healthy_processes";
  }
  CHECK(put > 0);
  CHECK(put + refused == 500);
  CHECK(ready() == put);
}

TEST_CASE_FIXTURE(queue_fixture,
                  "more concurrency takes at once, also where the consumer is full; less lets what is out end") {
  put({{"1"}, {"2"}, {"3"}, {"4"}, {"5"}, {"6"}});
  consumer out(pool, {.name = "work"});
  auto a = take(out);
  auto second = taking(out), third = taking(out), fourth = taking(out);
  REQUIRE(until(patience, [&] { return inflight() == 1; }));
  CHECK(second.wait_for(0s) == std::future_status::timeout);
  out.set_concurrency(3);
  auto b = now(std::move(second)), c = now(std::move(third));
  REQUIRE((b && c));
  CHECK(inflight() == 3);

  out.set_concurrency(2);
  CHECK_FALSE((a.lost() || b->lost() || c->lost()));
  CHECK(settled(a));
  CHECK(inflight() == 2);
  CHECK(fourth.wait_for(0s) == std::future_status::timeout);
  CHECK(settled(*b));
  auto d = now(std::move(fourth));
  REQUIRE(d);
  CHECK(d->body() == "4");
  CHECK(inflight() == 2);
  CHECK(settled(*c));
  CHECK(settled(*d));
}

TEST_CASE_FIXTURE(queue_fixture, "a consumer that waits with nothing ready takes by its new concurrency") {
  consumer out(pool, {.name = "work"});
  auto first = taking(out), second = taking(out);
  REQUIRE(until(patience, [&] { return peeking() == 1; }));
  out.set_concurrency(2);
  put({{"x"}, {"y"}});
  auto a = now(std::move(first)), b = now(std::move(second));
  REQUIRE((a && b));
  CHECK(settled(*a));
  CHECK(settled(*b));
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(queue_fixture, "a claim that waits at the server is given up where no more may be out") {
  put({{"x"}});
  consumer out(pool, {.name = "work", .concurrency = 2});
  auto first = take(out);
  auto next = taking(out);
  REQUIRE(until(patience, [&] { return peeking() == 1; }));
  out.set_concurrency(1);
  REQUIRE(until(patience, [&] { return peeking() == 0; }));
  put({{"y"}});
  CHECK(ready() == 1);
  CHECK(inflight() == 1);
  CHECK(next.wait_for(0s) == std::future_status::timeout);
  CHECK(settled(first));
  auto second = now(std::move(next));
  REQUIRE(second);
  CHECK(second->attempt() == 1);
  CHECK(settled(*second));
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(queue_fixture, "what is prefetched stays beside another concurrency") {
  put({{"1"}, {"2"}, {"3"}, {"4"}, {"5"}, {"6"}});
  consumer out(pool, {.name = "work", .prefetch = 2});
  auto a = take(out);
  REQUIRE(until(patience, [&] { return inflight() == 3; }));
  out.set_concurrency(2);
  auto b = take(out);
  REQUIRE(until(patience, [&] { return inflight() == 4; }));
  CHECK(settled(a));
  CHECK(settled(b));
}

TEST_CASE_FIXTURE(queue_fixture, "a concurrency out of range is refused; a drained consumer takes none") {
  consumer out(pool, {.name = "work"});
  for (std::uint32_t n : {0u, 65537u}) {
    std::string why;
    try {
      out.set_concurrency(n);
    } catch (const failure &f) {
      why = f.what();
    }
    CHECK(why == "concurrency is " + std::to_string(n) + ": give 1 to 65536");
  }
  put({{"x"}});
  CHECK(drain(out).value() == 0);
  out.set_concurrency(4);
  CHECK(now(taking(out)).error().is(status::closed));
  CHECK(ready() == 1);
}

TEST_CASE_FIXTURE(queue_fixture, "concurrency may change all the time: everything is worked once") {
  constexpr int messages = 600;
  std::atomic<int> done{0};
  consumer out(pool, {.name = "work", .concurrency = 8});
  std::function<void()> work = [&] {
    out.async_take([&](result<message> r) {
      if (!r) return;
      auto m = std::make_shared<message>(std::move(*r));
      m->async_settle(settle::done, {}, [&, m](result<bool> ours) {
        if (ours && *ours) ++done;
        work();
      });
    });
  };
  for (int i = 0; i < 16; ++i) work();
  std::uint32_t n = 0;
  for (int i = 0; i < messages; i += 10) {
    std::vector<put_item> items(10, {"x"});
    put(std::move(items));
    out.set_concurrency(1 + n++ % 16);
  }
  CHECK(until(60s, [&] { return done == messages; }));
  CHECK(drain(out).value() == 0);
  CHECK(is_empty());
}
