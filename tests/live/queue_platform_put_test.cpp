/// Puts on the platform's queue: its checks in its order, events of lanes, keys against repeating, delay. What the
/// platform's own enqueue answers to the same calls stands beside.

#include "queue_platform_fixture.hpp"

using namespace corbel;
using namespace corbel::test;

namespace {

const std::string lane_id = "c:user:u:agent:default.react.agent";
const std::string lane_key = "t:p:kdcube:chat:conversation:external-events:" + lane_id;

struct put_fixture : platform_fixture {
  static detail::put_admission admitted_by(std::uint64_t capacity, std::uint64_t most = 0) {
    return {std::make_shared<const queue_admission>(queue_admission{.max_queue_size = most}), {capacity, 1}};
  }
  void fill(int count) {
    for (int i = 0; i < count; ++i)
      server.command({"LPUSH", platform_queue + "paid", platform_task("f" + std::to_string(i))});
  }
  /// Ours, of capacity 12 and one process; the same put by the platform's script has to be refused alike.
  detail::put_outcome try_put(const std::string &type, std::uint64_t most = 0, std::uint64_t capacity = 12) {
    const auto theirs_said =
        platform_enqueue(server, type, platform_task("theirs"),
                         {.capacity = static_cast<long long>(capacity), .max_queue_size = static_cast<long long>(most)});
    auto i = item(platform_task("n", "", type));
    auto outcome = put(i, ours, admitted_by(capacity, most));
    CHECK(theirs_said.elements.at(1).text == outcome.refused);
    CHECK(static_cast<std::uint64_t>(theirs_said.elements.at(2).number) == outcome.depth);
    return outcome;
  }
  static put_item with_events(std::vector<event_records::event> events, const std::string &id = "e") {
    auto i = item(platform_task(id, "c"));
    i.events = {.conversation = "c", .user = "u", .agent = {}, .events = std::move(events)};
    return i;
  }
};

}  // namespace

TEST_CASE("empty queues: admitted, counted for five minutes") {
  put_fixture f;
  CHECK(f.put(f.item(platform_task("a")), f.ours, f.admitted_by(12)).refused.empty());
  CHECK(f.theirs.ready("registered") == 1);
  CHECK(f.get("t:p:kdcube:system:capacity:counter") == "1");
  CHECK(f.server.command({"TTL", "t:p:kdcube:system:capacity:counter"}).number > 295);
}

TEST_CASE("refusals come in the platform's order, with its reasons and figures") {
  put_fixture f;
  f.fill(7);
  SUBCASE("no capacity goes first") {
    auto o = f.try_put("registered", 3, 0);
    CHECK(o.refused == "no_healthy_processes");
    CHECK(o.depth == 7);
  }
  SUBCASE("then the size") {
    auto o = f.try_put("privileged", 3);
    CHECK(o.refused == "queue_size_exceeded");
    CHECK(o.depth == 7);
  }
  SUBCASE("floor(12 x 0.6) = 7") {
    CHECK(f.try_put("anonymous").refused == "anonymous_threshold_exceeded");
    CHECK(f.try_put("external").refused == "anonymous_threshold_exceeded");
  }
  SUBCASE("floor(12 x 0.8) = 9") {
    f.fill(2);
    CHECK(f.try_put("registered").refused == "registered_threshold_exceeded");
    CHECK(f.try_put("paid").refused == "paid_threshold_exceeded");
  }
  SUBCASE("floor(12 x 0.95) = 11; in flight and mailboxes count") {
    f.server.command({"LPUSH", platform_queue + "inflight:external", "x"});
    f.server.command({"SET", "t:p:kdcube:chat:conversation:mailbox:count:registered", "3"});
    CHECK(f.try_put("privileged").refused == "hard_limit_exceeded");
  }
  const auto before = f.theirs.ready("registered");
  CHECK(f.stats().ready >= before);
  CHECK_FALSE(f.exists("t:p:kdcube:system:capacity:counter"));
}

TEST_CASE("events go with the message: entries, and records byte for byte that stay") {
  put_fixture f;
  const std::string record = "{\"a\":  [], \"n\": 1e3, \"s\": \"\\u00e4\"}";
  CHECK(f.put(f.with_events({{"m1", record}, {"m2", "{}"}}), f.ours, f.admitted_by(12)).refused.empty());
  CHECK(f.server.command({"XLEN", lane_key}).number == 2);
  CHECK(f.get(lane_key + ":event:m1") == record);
  CHECK(f.server.command({"TTL", lane_key + ":event:m1"}).number == -1);
  auto entry = f.server.command({"XRANGE", lane_key, "-", "+"}).elements.at(0).elements.at(1);
  REQUIRE(entry.elements.size() == 2);
  CHECK(entry.elements[0].text == "message_id");
  CHECK(entry.elements[1].text == "m1");
  CHECK(f.theirs.ready("registered") == 1);

  // The same event again: admitted, one more entry, its record written over.
  CHECK(f.put(f.with_events({{"m1", "{\"b\": 1}"}}, "e2")).refused.empty());
  CHECK(f.server.command({"XLEN", lane_key}).number == 3);
  CHECK(f.get(lane_key + ":event:m1") == "{\"b\": 1}");
}

TEST_CASE("an event without id or record takes back what was written") {
  put_fixture f;
  f.fill(2);
  event_records::event bad{"m2", "{}"};
  SUBCASE("id") { bad.id.clear(); }
  SUBCASE("record") { bad.record.clear(); }
  auto o = f.put(f.with_events({{"m1", "{}"}, bad}), f.ours, f.admitted_by(12));
  CHECK(o.refused == "invalid_lane_event_records");
  CHECK(o.depth == 2);
  CHECK(f.server.command({"XLEN", lane_key}).number == 0);
  CHECK_FALSE(f.exists(lane_key + ":event:m1"));
  CHECK(f.theirs.ready("registered") == 0);
  CHECK_FALSE(f.exists("t:p:kdcube:system:capacity:counter"));
}

TEST_CASE("what cannot be written refuses the put, and nothing is left of it") {
  put_fixture f;
  std::string reason;
  SUBCASE("the lane is no stream") {
    f.server.command({"SET", lane_key, "text"});
    reason = "lane_stream_write_failed";
  }
  SUBCASE("the counter is no number") {
    f.server.command({"SET", "t:p:kdcube:system:capacity:counter", "text"});
    reason = "capacity_counter_failed";
  }
  auto i = f.with_events({{"m1", "{}"}});
  i.idempotency_key = "k";
  CHECK(f.put(i).refused == reason);
  CHECK(f.theirs.ready("registered") == 0);
  CHECK_FALSE(f.exists(lane_key + ":event:m1"));
  f.server.command({"DEL", lane_key, "t:p:kdcube:system:capacity:counter"});
  auto again = f.put(i);  // the key was forgotten with it
  CHECK(again.refused.empty());
  CHECK(again.repeated.empty());
}

TEST_CASE("groups of one call: each whole or not at all, in order") {
  put_fixture f;
  auto by = f.ours;
  std::vector<detail::put_group> groups;
  for (auto &ids : std::vector<std::vector<std::string>>{{"a", "b"}, {"d", "e", "g"}, {"h"}}) {
    groups.emplace_back();
    for (auto &id : ids) groups.back().push_back(f.item(platform_task(id)));
    for (auto &i : groups.back()) i.id = by->id_of(i);
  }
  auto answer = by->read_put(f.run(by->put(groups, f.admitted_by(5), {})).root(), groups);  // floor(5 x 0.8) = 4
  REQUIRE(answer.groups.size() == 3);
  CHECK(answer.groups[0].refused.empty());
  CHECK(answer.groups[1].refused == "registered_threshold_exceeded");
  CHECK(answer.groups[1].depth == 4);
  CHECK(answer.groups[2].refused.empty());
  CHECK(answer.ready == 3);
  CHECK(f.get("t:p:kdcube:system:capacity:counter") == "3");
  auto got = f.claim();
  REQUIRE(got.messages.size() == 3);
  CHECK(got.messages[0].id == "a");
  CHECK(got.messages[1].id == "b");
  CHECK(got.messages[2].id == "h");
}

TEST_CASE("a key that is known puts nothing and tells the first id") {
  put_fixture f;
  auto one = f.item(platform_task("a"));
  one.idempotency_key = "k";
  CHECK(f.put(one).repeated.empty());
  auto two = f.item(platform_task("b"));
  two.idempotency_key = "k";
  auto o = f.put(two);
  REQUIRE(o.repeated.size() == 1);
  CHECK(o.repeated[0] == std::pair<std::size_t, std::string>(0, "a"));
  CHECK(f.theirs.ready("registered") == 1);
}

TEST_CASE("a delayed message is not seen by the platform before its time") {
  put_fixture f;
  auto late = f.item(platform_task("late"));
  late.delay = 1h;
  CHECK(f.put(late).refused.empty());
  CHECK(f.theirs.ready("registered") == 0);
  auto next = f.promote();
  CHECK(next.moved == 0);
  CHECK((next.next > 0ms && next.next <= 1h));
  auto soon = f.item(platform_task("soon"));
  soon.delay = 60ms;
  CHECK(f.put(soon).refused.empty());
  REQUIRE(until(patience, [&] { return f.promote().moved == 1; }));
  auto task = f.theirs.claim("registered");
  REQUIRE(task);
  CHECK(task->id == "soon");
}

TEST_CASE("what cannot be put is said before it is sent") {
  put_fixture f;
  auto said = [&](put_item i) { return f.ours->check({std::move(i)}).message(); };
  CHECK(said(f.item("text")).find("the body of item 0 is no task: JSON at byte 0") == 0);
  CHECK(said(f.item("{}")) == "the body of item 0 is no task: meta.task_id: is missing");
  CHECK(said(f.item(platform_task("a", "", "guest"))).find("the user type 'guest' of item 0 is none of privileged") == 0);
  auto i = f.item(platform_task("a", "c"));
  i.id = "b";
  CHECK(said(i) == "the id of item 0 is 'b', that of its task 'a': leave it out");
  i.id = "a";
  i.group = "d";
  CHECK(said(i).find("item 0 has the group 'd'") == 0);
  i.group = "c";
  i.lane = "paid";
  CHECK(said(i).empty());
  i.events.events.push_back({"m", "{}"});
  CHECK(said(i) == "the events of item 0 name no conversation");
  CHECK_THROWS_AS(f.protocol({.layout = queue_layout::platform, .tenant = "t"}), failure);
  auto o = f.options();
  o.lanes = {{.name = "guests"}};
  CHECK_THROWS_AS(f.protocol(o), failure);
  o.lanes = {{.name = "paid", .weight = 3}};
  CHECK(f.protocol(o)->lanes()[3].weight == 3);
}
