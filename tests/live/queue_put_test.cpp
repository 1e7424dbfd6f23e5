/// What a put can ask for: delay, idempotency, lanes, groups, admission.

#include "live/queue_fixture.hpp"

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;

namespace {

result<put_receipt> putting(producer &in, std::vector<put_item> items) {
  return now(in.async_put(std::move(items), {.timeout = patience}, asio::use_future));
}

long long ms_now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

TEST_CASE_FIXTURE(queue_fixture, "a delayed message is not ready before its time, and then it is") {
  producer in(pool, {.name = "work"});
  const auto began = std::chrono::steady_clock::now();
  REQUIRE(putting(in, {{.body = "later", .delay = 400ms},
                       {.body = "latest", .not_before = std::chrono::system_clock::now() + 600ms},
                       {.body = "now"}}));
  CHECK(ready() == 1);
  CHECK(number({"ZCARD", "work:delayed"}) == 2);
  consumer out(pool, {.name = "work"});
  for (auto [body, least] : {std::pair("now", 0ms), {"later", 399ms}, {"latest", 599ms}}) {
    auto m = take(out);
    CHECK(m.body() == body);
    CHECK(std::chrono::steady_clock::now() - began >= least);
    CHECK(settled(m));
  }
  CHECK(is_empty());
}

TEST_CASE_FIXTURE(queue_fixture, "of two items of one put with one idempotency key the second is told as repeated") {
  producer in(pool, {.name = "work"});
  auto put = putting(in, {{.body = "a", .id = "1", .idempotency_key = "k"},
                          {.body = "b", .id = "2"},
                          {.body = "c", .id = "3", .idempotency_key = "k"}});
  REQUIRE(put);
  CHECK(put->repeated == std::vector<std::size_t>{2});
  CHECK(put->ids == std::vector<std::string>{"1", "2", "1"});
  CHECK(put->depth == 2);
}

TEST_CASE_FIXTURE(queue_fixture, "a put with a known idempotency key puts nothing and tells the first id") {
  producer in(pool, {.name = "work", .idempotency_window = 400ms});
  auto first = putting(in, {{.body = "a", .id = "1", .idempotency_key = "k"}, {.body = "b", .id = "2"}});
  REQUIRE(first);
  CHECK(first->repeated.empty());
  auto again = putting(in, {{.body = "a", .id = "3", .idempotency_key = "k"}, {.body = "c", .id = "4"}});
  REQUIRE(again);
  CHECK(again->repeated == std::vector<std::size_t>{0});
  CHECK(again->ids == std::vector<std::string>{"1", "4"});
  CHECK(again->depth == 3);
  REQUIRE(until(patience, [&] { return number({"EXISTS", "work:idem:k"}) == 0; }));
  auto later = putting(in, {{.body = "a", .id = "5", .idempotency_key = "k"}});
  REQUIRE(later);
  CHECK(later->repeated.empty());
  CHECK(ready() == 4);
}

TEST_CASE_FIXTURE(queue_fixture, "messages of one group run one at a time, in order, and hold up nobody else") {
  put({{.body = "a1", .group = "a"},
       {.body = "a2", .group = "a"},
       {.body = "a3", .group = "a"},
       {.body = "b1", .group = "b"},
       {.body = "free"}});
  consumer out(pool, {.name = "work", .concurrency = 5});
  std::vector<std::string> bodies;
  std::vector<message> held;
  for (int i = 0; i < 3; ++i) {
    held.push_back(take(out));
    bodies.emplace_back(held.back().body());
  }
  CHECK(bodies == std::vector<std::string>{"a1", "b1", "free"});
  CHECK(held[0].group() == "a");
  auto next = taking(out);
  CHECK(ready() == 0);
  CHECK(server.command({"GET", "work:parked"}).text == "2");
  CHECK(next.wait_for(50ms) == std::future_status::timeout);
  CHECK(settled(held[0]));
  auto second = now(std::move(next));
  REQUIRE(second);
  CHECK(second->body() == "a2");
  CHECK(settled(*second, settle::bury));
  auto third = take(out);
  CHECK(third.body() == "a3");
  for (auto *m : {&held[1], &held[2], &third}) CHECK(settled(*m));
  CHECK(number({"EXISTS", "work:groups"}) == 0);
  CHECK(server.command({"GET", "work:parked"}).text == "0");
}

TEST_CASE_FIXTURE(queue_fixture, "a group is free again after a retry, a hand-back and a lost lease") {
  consumer out(pool, {.name = "work", .concurrency = 2, .lease = 1h});
  auto both = [&] { put({{.body = "1", .id = "1", .group = "g"}, {.body = "2", .id = "2", .group = "g"}}); };
  both();
  auto m = take(out);
  settle_request later = settle::retry;
  later.delay = 100ms;
  CHECK(settled(m, later));
  auto n = take(out);
  CHECK(n.body() == "2");
  CHECK(settled(n));
  auto again = take(out);
  CHECK(again.body() == "1");
  CHECK(again.attempt() == 2);
  CHECK(settled(again, settle::hand_back));
  auto back = take(out);
  CHECK(back.body() == "1");
  end_lease(server, back.token());
  consumer reaping(pool, {.name = "work", .lease = 300ms});
  auto third = take(out);
  CHECK(third.body() == "1");
  CHECK(third.attempt() == 3);
  CHECK(settled(third));
  CHECK_FALSE(settled(back));
  CHECK(number({"EXISTS", "work:groups"}) == 0);
}

TEST_CASE_FIXTURE(queue_fixture, "lanes have turns by their weights, and an empty one keeps nobody waiting") {
  const queue_options options{.name = "work", .lanes = {{"high", 3}, {"low", 1}}, .concurrency = 4};
  producer in(pool, options);
  std::vector<put_item> items;
  for (int i = 0; i < 12; ++i) {
    items.push_back({.body = "low", .lane = "low"});
    items.push_back({.body = "high", .lane = "high"});
  }
  auto receipt = putting(in, items);
  REQUIRE(receipt);
  CHECK(receipt->depth == 24);
  CHECK(ready("work:high") == 12);
  CHECK(putting(in, {{.body = "x", .lane = "other"}}).error().message() ==
        "the lane 'other' of item 0 is none of the queue's");
  consumer out(pool, options);
  std::string order;
  for (int i = 0; i < 24; ++i) {
    auto m = take(out);
    CHECK(m.lane() == m.body());
    order += m.body()[0];
    CHECK(settled(m));
  }
  for (std::size_t i = 0; i < 16; i += 4) CHECK(std::count(order.begin() + long(i), order.begin() + long(i) + 4, 'h') == 3);
  CHECK(std::count(order.begin(), order.end(), 'h') == 12);
}

TEST_CASE_FIXTURE(queue_fixture, "admission refuses by each lane's share of the capacity, whole puts, and says why") {
  const queue_options options{.name = "work",
                              .lanes = {{"privileged"}, {"registered"}, {"anonymous"}},
                              .admission = queue_admission{.capacity = 12}};
  producer in(pool, options);
  std::vector<put_item> seven(7, {.body = "x", .lane = "anonymous"});
  REQUIRE(putting(in, seven));  // floor(12 * 0.6)
  auto refused = putting(in, {{.body = "x", .lane = "anonymous"}});
  REQUIRE_FALSE(refused);
  const auto &why = refused.error();
  CHECK(why.is(status::busy));
  CHECK(why.native() == "anonymous_threshold_exceeded");
  CHECK(why.may_retry());
  CHECK(*why.field("depth") == "7");
  CHECK(*why.field("capacity") == "12");
  CHECK(*why.field("retry_after") == "30");
  // All or none: the third would be one too many.
  CHECK(putting(in, std::vector<put_item>(3, {.body = "x", .lane = "registered"})).error().native() ==
        "registered_threshold_exceeded");
  CHECK(ready("work:registered") == 0);
  REQUIRE(putting(in, std::vector<put_item>(2, {.body = "x", .lane = "registered"})));
  REQUIRE(putting(in, std::vector<put_item>(2, {.body = "x", .lane = "privileged"})));
  auto hard = putting(in, {{.body = "x", .lane = "privileged"}});
  CHECK(hard.error().native() == "hard_limit_exceeded");
  CHECK(*hard.error().field("retry_after") == "60");
  // What is in flight still counts.
  consumer out(pool, options);
  auto m = take(out);
  CHECK(putting(in, {{.body = "x", .lane = "privileged"}}).error().native() == "hard_limit_exceeded");
  CHECK(settled(m));
  CHECK(putting(in, {{.body = "x", .lane = "privileged"}}));

  producer small(pool, {.name = "small", .admission = queue_admission{.capacity = 100, .max_queue_size = 2}});
  REQUIRE(putting(small, {{"1"}, {"2"}}));
  CHECK(putting(small, {{"3"}}).error().native() == "queue_size_exceeded");
  producer nobody(pool, {.name = "small", .admission = queue_admission{.capacity = 0}});
  CHECK(putting(nobody, {{"3"}}).error().native() == "no_healthy_processes");
}

TEST_CASE_FIXTURE(queue_fixture, "puts of many callers leave together and each has its own outcome") {
  producer in(pool, {.name = "work", .admission = queue_admission{.capacity = 200, .hard = 0.5}});
  const auto before = number({"LLEN", "work"});
  std::vector<std::future<result<put_receipt>>> all;
  for (int i = 0; i < 150; ++i)
    all.push_back(in.async_put(put_item{.body = std::to_string(i), .id = std::to_string(i)}, asio::use_future));
  int well = 0, refused = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto r = now(std::move(all[i]));
    if (r) {
      ++well;
      CHECK(r->ids == std::vector<std::string>{std::to_string(i)});
    } else {
      ++refused;
      CHECK(r.error().native() == "hard_limit_exceeded");
    }
  }
  CHECK(before == 0);
  CHECK(well == 100);
  CHECK(refused == 50);
  CHECK(ready() == 100);
  const auto stats = server.command({"INFO", "commandstats"}).text;
  const auto at = stats.find("cmdstat_evalsha:calls=");
  REQUIRE(at != stats.npos);
  CHECK(std::stoi(stats.substr(at + 22)) < 50);
}

TEST_CASE_FIXTURE(queue_fixture, "when a message was put is known, by the server's clock") {
  const auto before = ms_now();
  put({{"x"}});
  consumer out(pool, {.name = "work"});
  auto m = take(out);
  const auto at = std::chrono::duration_cast<std::chrono::milliseconds>(m.put_at().time_since_epoch()).count();
  CHECK(at >= before - 1);
  CHECK(at <= ms_now());
  CHECK(settled(m));
}
