/// What ingress puts on the platform's queue: events of a conversation's lane, with wake-ups that the platform's own
/// processes work as theirs.

#include "live/hosts_fixture.hpp"
#include "support/platform_lane.hpp"

#include <doctest/doctest.h>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> on_platform{"--queue-layout", "platform", "--tenant", "t", "--project", "p"};
const std::string lane = "t:p:kdcube:chat:conversation:external-events:c";

std::vector<std::string> without_admission() {
  auto more = on_platform;
  more.insert(more.end(), {"--admission", "off"});
  return more;
}

wire_response post(const host &ingress, const std::string &text, const std::string &event) {
  return http_post(
      ingress.port, "/api/chat/messages",
      R"({"session_id": "s", "conversation_id": "c", "text": ")" + text + R"(", "event_id": ")" + event + "\"}");
}

/// Members of theirs that ours has not; those of objects within too, but of a call's own context.
std::string missing(const json_object &theirs, const json_object &ours, const std::string &within = {}) {
  std::string names;
  for (const auto &[name, value] : theirs.members()) {
    bool there = false;
    for (const auto &[own_name, own] : ours.members()) {
      if (own_name != name) continue;
      there = true;
      if (name != "bundle_call_context" && value.kind() == json_kind::object && own.kind() == json_kind::object)
        names += missing(*value.object(), *own.object(), within + std::string(name) + ".");
    }
    if (!there) names += within + std::string(name) + " ";
  }
  return names;
}

std::string missing(const std::string &theirs, const std::string &ours) {
  const auto a = json_document::parse(theirs), b = json_document::parse(ours);
  REQUIRE(a);
  REQUIRE_MESSAGE(b, ours);
  return missing(*a->root().object(), *b->root().object());
}

}  // namespace

TEST_CASE("a message has what the platform's have, and its worker claims it") {
  redis_server redis;
  host ingress("ingress", redis.url(), without_admission());
  const auto posted = post(ingress, "x y x", "e1");
  REQUIRE(posted.status == 200);
  platform_worker theirs(redis);
  auto task = theirs.claim("anonymous");
  REQUIRE(task);
  CHECK(task->id == json_at(posted.body, "task_id"));
  CHECK_FALSE(task->conversation_lock.empty());
  const platform_lane like(redis, "c");
  CHECK(missing(like.wake_up("e1", 1, task->id), task->raw) == "");
  CHECK(missing(like.record("e1", 1), redis.command({"GET", lane + ":event:e1"}).text) == "");
  theirs.start(*task);
  theirs.acknowledge(*task);
  CHECK(theirs.in_flight("anonymous") == 0);
}

TEST_CASE("messages to one conversation are worked one after the other, each once") {
  redis_server redis;
  host ingress("ingress", redis.url(), without_admission());
  auto stream = sse_client::of(ingress.port, "s", "me");
  CHECK(stream.next().event == "ready");
  std::vector<std::string> turns;
  for (auto event : {"e1", "e2", "e3"}) {
    const auto posted = post(ingress, event, event);
    REQUIRE(posted.status == 200);
    turns.push_back(json_at(posted.body, "turn_id"));
  }
  CHECK(redis.command({"GET", "t:p:kdcube:chat:conversation:external-events:seq:c"}).text == "3");
  host proc("proc", redis.url(), on_platform);
  for (auto &turn : turns) CHECK(json_at(stream.next("chat_complete").data, "conversation.turn_id") == turn);
  REQUIRE(until(10s, [&] {
    return redis.command({"LLEN", "t:p:kdcube:chat:prompt:queue:inflight:anonymous"}).number == 0;
  }));
  for (auto event : {"e1", "e2", "e3"}) {
    const auto record = redis.command({"GET", lane + ":event:" + event}).text;
    CHECK_MESSAGE(json_at(record, "consumed_at").find("null") == std::string::npos, record);
  }
  // Nothing is woken a second time.
  proc.process.signal(SIGTERM);
  CHECK(proc.process.wait_for(20s) == 0);
  CHECK(redis.command({"LLEN", "t:p:kdcube:chat:prompt:queue:anonymous"}).number == 0);
  CHECK(json_at(redis.command({"GET", "t:p:kdcube:chat:prompt:queue:analytics:anonymous"}).text, "total_processed") == "3");
}
