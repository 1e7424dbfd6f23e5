/// Random schedules of the model, carried out with the real scripts of the native layout: after every step Redis holds what
/// the model says.

#include "queue/protocol.hpp"
#include "support/queue_model.hpp"
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

using namespace corbel::detail;
using namespace corbel::test;
using namespace corbel::test::queue_model;
using corbel::settle;

namespace {

using names = std::vector<std::string>;
using pairs = std::map<std::string, std::string>;

/// All that a queue holds, as one answer of the server.
constexpr const char *look = R"(
local q, r = KEYS[1], {}
local function add(name, ...) r[#r + 1] = redis.call(name, ...) end
add('LRANGE', q, 0, -1)
add('LRANGE', q .. ':parked:g', 0, -1)
for _, part in ipairs({'holders', 'attempts', 'groups', 'delayed:items', 'dead:items'}) do
  add('HGETALL', q .. ':' .. part)
end
for _, part in ipairs({'leases', 'lost'}) do add('ZRANGE', q .. ':' .. part, 0, -1, 'WITHSCORES') end
r[#r + 1] = redis.call('GET', q .. ':parked') or '0'
r[#r + 1] = redis.call('GET', q .. ':inflight') or '0'
return r)";

std::string name_of(std::uint8_t message) { return "m" + std::to_string(message); }

/// "[lane RS] id US ms [US group] LF body" -> id.
std::string id_of(const std::string &element) {
  const auto begin = element.find('\x1e') == element.npos ? 0 : element.find('\x1e') + 1;
  return element.substr(begin, element.find('\x1f') - begin);
}
names ids_of(const redis_answer &list) {
  names ids;
  for (const auto &e : list.elements) ids.push_back(id_of(e.text));
  return ids;
}
pairs pairs_of(const redis_answer &list) {
  pairs all;
  for (std::size_t i = 0; i + 1 < list.elements.size(); i += 2) all[list.elements[i].text] = list.elements[i + 1].text;
  return all;
}
names values_of(const redis_answer &list) {
  names ids;
  for (const auto &[key, element] : pairs_of(list)) ids.push_back(id_of(element));
  std::sort(ids.begin(), ids.end());
  return ids;
}
names names_of(const row &r, bool sorted = false) {
  names all;
  for (std::uint8_t i = 0; i < r.n; ++i) all.push_back(name_of(r.at[i]));
  if (sorted) std::sort(all.begin(), all.end());
  return all;
}

/// A queue of its own on a real server, which follows a world's steps.
class real_queue {
 public:
  real_queue(redis_server &server, corbel::redis_pool &pool, std::string name, const rules &r)
      : server_(server),
        pool_(pool),
        name_(std::move(name)),
        rules_(r),
        protocol_(make_native_protocol({.name = name_, .max_attempts = r.max_attempts})) {
    reap();  // the first pass is left out
  }

  /// before: the world as the step found it; after: as it left it.
  void follow(step s, const world &before, const world &after) {
    const auto &c = before.consumers[s.who % most_processes];
    switch (s.what) {
      case act::put:
        return put(static_cast<std::uint8_t>(before.producers[s.who].next - 1));
      case act::put_arrives:
        return put(static_cast<std::uint8_t>(before.producers[s.who].late - 1));
      case act::claim:
        return claim(after.last_claim, before, after);
      case act::claim_arrives:
        return claim(c.late_claim, before, after);
      case act::recall:
        run(protocol_->recall(claim_name(c.claim)));
        return;
      case act::settle:
        CHECK(settle_one(s.kind, c.of[s.which].token) == after.consumers[s.who].reply);
        return;
      case act::settle_arrives:
        settle_one(c.late_kind, c.late_token);
        return;
      case act::renew: {
        const std::vector<claimed_ptr> held{held_.at(c.of[0].token)};
        const auto reply = run(protocol_->renew(std::chrono::hours(1), held));
        CHECK(protocol_->read_renew(reply.root(), held).empty() == before.is_claimed(c.claim));
        return;
      }
      case act::lease_ends:
        // In the order of the claims, as they would end.
        server_.command(
            {"ZADD", name_ + ":leases", std::to_string(before.flight[s.who].token), claim_name(before.flight[s.who].claim)});
        return;
      case act::reap:
        return reap();
      case act::promote:
        return promote(name_of(before.delayed.at[s.who]), after.ready.n - before.ready.n + 0u);
      default:
        return;  // nothing that the server hears of
    }
  }

  void compare(const world &w) {
    const auto held = server_.command({"EVAL", look, "1", name_}).elements;
    CHECK(ids_of(held[0]) == names_of(w.ready));
    CHECK(ids_of(held[1]) == names_of(w.parked));
    CHECK(held[9].text == std::to_string(w.parked.n));
    CHECK(held[10].text == std::to_string(w.flights));
    CHECK(values_of(held[5]) == names_of(w.delayed, true));
    CHECK(values_of(held[6]) == names_of(w.dead, true));
    compare_flight(w, pairs_of(held[2]), pairs_of(held[7]));
    pairs attempts, groups;
    for (std::uint8_t m = 0; m < rules_.messages; ++m)
      if (w.attempts[m] != 0) attempts[name_of(m)] = std::to_string(w.attempts[m]);
    if (w.group_token != 0) groups["g"] = real(w.group_token);
    CHECK(pairs_of(held[3]) == attempts);
    CHECK(pairs_of(held[4]) == groups);
    const auto lost = pairs_of(held[8]);
    for (std::uint8_t i = 0; i < w.lost.n; ++i) {
      const auto &m = *held_.at(w.lost.at[i]);
      CHECK(lost.contains(m.source->name + ":" + std::to_string(m.place)));
    }
  }

 private:
  std::string real(std::uint8_t token) const { return std::to_string(held_.at(token)->token); }
  static std::string claim_name(std::uint8_t claim) { return "claim" + std::to_string(claim); }

  corbel::redis_reply run(script_call call) {
    auto r = come(corbel::async_run(pool_, call.script, std::move(call.command), {}, boost::asio::use_future));
    REQUIRE_MESSAGE(r, r.error().message());
    return std::move(*r);
  }
  void reap() {
    run(protocol_->reap({.name = "reaper", .lease = std::chrono::hours(1), .max_attempts = rules_.max_attempts}));
  }
  void put(std::uint8_t message) {
    corbel::put_item item{.body = "body", .id = name_of(message), .idempotency_key = name_of(message)};
    if ((rules_.grouped >> message & 1) != 0) item.group = "g";
    run(protocol_->put({{std::move(item)}}, std::nullopt, std::nullopt));
  }
  void claim(std::uint8_t number, const world &before, const world &after) {
    const claim_request request{
        .most = rules_.most, .lease = std::chrono::hours(1), .claim = claim_name(number), .turns = {{0, rules_.most}}};
    const auto reply = run(protocol_->claim(request));
    const auto elements = come(pool_.async_send(*protocol_->read_elements(request), {}, boost::asio::use_future));
    REQUIRE(elements);
    auto answer = protocol_->read_claim(reply.root(), *elements, request);
    CHECK_FALSE(answer.unread);
    CHECK_FALSE(answer.unseen);
    if (before.ready.n == after.ready.n && before.parked.n == after.parked.n) {  // nothing is there, or it was recalled
      CHECK(answer.messages.empty());
      return;
    }
    CHECK(answer.left == after.ready.n);
    REQUIRE(answer.messages.size() == static_cast<std::size_t>(after.flights - before.flights));
    const auto *entry = after.flight + before.flights;
    for (auto &m : answer.messages) {
      CHECK(m.id == name_of(entry->message));
      CHECK(m.attempt == after.attempts[entry->message] + 1u);
      CHECK(m.token > last_token_);
      last_token_ = m.token;
      held_[(entry++)->token] = std::make_shared<const claimed_message>(std::move(m));
    }
  }
  std::int64_t settle_one(how kind, std::uint8_t token) {
    const auto to = kind == how::done        ? settle::done
                    : kind == how::bury      ? settle::bury
                    : kind == how::hand_back ? settle::hand_back
                                             : settle::retry;
    const settle_entry entry{held_.at(token), kind == how::retry_later ? "+3600000" : "", "because"};
    const auto reply = run(protocol_->settle(to, {entry}, "worker"));
    return protocol_->read_settle(reply.root(), to, {entry}).front();
  }
  void promote(const std::string &id, std::uint64_t ready) {
    for (const auto &[number, kept] : pairs_of(server_.command({"HGETALL", name_ + ":delayed:items"})))
      if (id_of(kept) == id) server_.command({"ZADD", name_ + ":delayed", "1", number});
    const auto reply = run(protocol_->promote());
    CHECK(protocol_->read_promote(reply.root()).moved == ready);
  }
  void compare_flight(const world &w, const pairs &holders, const pairs &leases) {
    std::set<std::string> claims;
    for (std::uint8_t i = 0; i < w.flights; ++i) {
      const auto &e = w.flight[i];
      const auto &m = *held_.at(e.token);
      CHECK(claim_name(e.claim) == m.source->name);
      claims.insert(m.source->name);
      REQUIRE((holders.contains(m.source->name) && leases.contains(m.source->name)));
      CHECK(id_of(server_.command({"LINDEX", name_ + ":claim:" + m.source->name, std::to_string(m.place)}).text) ==
            name_of(e.message));
      CHECK((std::stod(leases.at(m.source->name)) < 1000) == (e.expired != 0));
    }
    CHECK(holders.size() == claims.size());
    CHECK(leases.size() == claims.size());
  }

  redis_server &server_;
  corbel::redis_pool &pool_;
  const std::string name_;
  const rules rules_;
  const std::shared_ptr<const queue_protocol> protocol_;
  std::map<std::uint8_t, claimed_ptr> held_;  // by the model's token
  std::uint64_t last_token_ = 0;
};

/// Random steps, then fair ones to the end. Returns how many.
int run_schedule(real_queue &queue, const rules &r, std::mt19937 &random, std::string &story) {
  auto w = first_world(r);
  int steps = 0;
  auto take = [&](step s) {
    story += "\n  " + text(s);
    auto next = w;
    apply(next, s, r);
    CHECK(fault_of(next, r) == "");
    queue.follow(s, w, next);
    w = next;
    forget(w);
    queue.compare(w);
    ++steps;
  };
  for (step s{}; steps < 60;) {
    const auto all = possible(w, r);
    if (all.empty()) break;
    s = all[std::uniform_int_distribution<std::size_t>(0, all.size() - 1)(random)];
    take(s);
  }
  for (step s{}; fair_step(w, r, s);) take(s);
  CHECK(is_drained(w));
  return steps;
}

void check_schedules(const rules &r, unsigned seed) {
  redis_server server;
  corbel::runtime rt;
  corbel::redis_pool pool(rt, {.url = server.url()});
  std::mt19937 random(seed);
  const int schedules = std::getenv("CORBEL_ROUNDS") ? 20 : 150;
  int steps = 0;
  for (int i = 0; i < schedules; ++i) {
    std::string story;
    CAPTURE(i);
    INFO(story);
    real_queue queue(server, pool, "q" + std::to_string(i), r);
    steps += run_schedule(queue, r, random, story);
  }
  std::printf("%d schedules, %d steps\n", schedules, steps);
}

}  // namespace

TEST_CASE("random schedules agree: four messages, deaths and losses") {
  check_schedules({.messages = 4, .producers = 2, .consumers = 3, .max_attempts = 3, .deaths = 5, .losses = 5}, 1);
}
TEST_CASE("random schedules agree: five messages, two in a claim") {
  check_schedules({.messages = 5, .producers = 2, .consumers = 3, .max_attempts = 3, .most = 2, .deaths = 5, .losses = 5},
                  4);
}
TEST_CASE("random schedules agree: five messages of which three are of one group, two in a claim") {
  check_schedules(
      {.messages = 5, .producers = 2, .consumers = 3, .grouped = 21, .max_attempts = 3, .most = 2, .deaths = 5, .losses = 5},
      5);
}
TEST_CASE("random schedules agree: five messages of one group") {
  check_schedules(
      {.messages = 5, .producers = 2, .consumers = 3, .grouped = 31, .max_attempts = 3, .deaths = 5, .losses = 5}, 2);
}
TEST_CASE("random schedules agree: three of five messages of one group, two attempts") {
  check_schedules({.messages = 5, .producers = 3, .consumers = 3, .grouped = 21, .deaths = 8, .losses = 8}, 3);
}
