// The copy of the document: whatever order things happen in, the newest document is the one that counts in the end.
#include "gateway/update_message.hpp"
#include "redis/copy_plan.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <random>

using namespace corbel;
using namespace corbel::detail;
using namespace std::chrono_literals;
using action = copy_plan::action;

TEST_CASE("subscribed, then read, then applied") {
  copy_plan plan(false);
  CHECK_FALSE(plan.is_ready());
  CHECK(plan.subscribed() == action::read);
  CHECK(plan.ended(true) == action::apply);
  CHECK(plan.is_ready());
  CHECK(plan.next() == action::nothing);
}

TEST_CASE("what was read is dropped when an update came meanwhile") {
  copy_plan plan(false);
  CHECK(plan.subscribed() == action::read);
  plan.updated();
  CHECK(plan.ended(true) == action::nothing);
  CHECK(plan.is_ready());
  CHECK(plan.subscribed() == action::read);
  CHECK(plan.ended(true) == action::apply);  // an update before the reading began does not count
}

TEST_CASE("a reconnect while the copy is read has it read once more") {
  copy_plan plan(false);
  CHECK(plan.subscribed() == action::read);
  CHECK(plan.subscribed() == action::nothing);
  CHECK(plan.subscribed() == action::nothing);
  CHECK(plan.ended(true) == action::apply);
  CHECK(plan.next() == action::read);
  CHECK(plan.ended(true) == action::apply);
  CHECK(plan.next() == action::nothing);
}

TEST_CASE("forced: written until that worked, then read after reconnects") {
  copy_plan plan(true);
  CHECK(plan.retry() == action::nothing);
  CHECK(plan.subscribed() == action::write);
  CHECK(plan.ended(false) == action::retry_later);
  CHECK_FALSE(plan.is_ready());
  CHECK(plan.retry() == action::write);
  CHECK(plan.retry() == action::nothing);
  CHECK(plan.ended(true) == action::nothing);
  CHECK(plan.is_ready());
  CHECK(plan.subscribed() == action::read);
}

TEST_CASE("a reconnect does not wait for the pause") {
  copy_plan plan(false);
  CHECK(plan.subscribed() == action::read);
  CHECK(plan.ended(false) == action::retry_later);
  CHECK(plan.subscribed() == action::read);
  CHECK(plan.retry() == action::nothing);
  CHECK(plan.ended(true) == action::apply);
}

namespace {

/// A server with a copy and a channel, a writer that sets and then publishes, and a replica that follows.
struct world {
  explicit world(unsigned seed, bool forced) : random(seed), plan(forced) {}

  std::mt19937 random;
  copy_plan plan;
  int copy = 0, applied = -1, last = 0;
  bool linked = false;
  std::deque<int> publishing;  // set, not published yet
  std::deque<int> channel;     // published, not delivered yet
  int asked = 0;               // 1: a request was sent; 2: the server has answered it
  bool writing = false, retrying = false;
  int answer = 0, mine = 0;

  unsigned below(unsigned n) { return static_cast<unsigned>(random() % n); }

  void perform(action a) {
    REQUIRE((a == action::nothing || a == action::retry_later || asked == 0));
    if (a == action::retry_later) retrying = true;
    if (a == action::read || a == action::write) {
      asked = 1;
      writing = a == action::write;
      if (writing) mine = ++last;
    }
  }
  void serve() {
    if (asked != 1 || (writing && !publishing.empty())) return;  // two writers at once have no order
    asked = 2;
    if (writing) {
      copy = mine;
      publish(mine);
    }
    answer = copy;
  }
  void publish(int n) {
    if (linked) channel.push_back(n);
  }
  void finish(bool ok) {
    asked = 0;
    auto a = plan.ended(ok);
    if (a == action::apply) {
      applied = answer;
      a = plan.next();
    }
    perform(a);
  }
  void step(bool quiet) {
    switch (below(quiet ? 5 : 9)) {
      case 0:
        serve();
        break;
      case 1:
        if (asked == 2) finish(true);
        break;
      case 2:
        if (!channel.empty()) {
          plan.updated();
          applied = channel.front();
          channel.pop_front();
        }
        break;
      case 3:
        if (!linked) {
          linked = true;
          perform(plan.subscribed());
        }
        break;
      case 4:
        if (std::exchange(retrying, false)) perform(plan.retry());
        if (!publishing.empty()) {
          publish(publishing.front());
          publishing.pop_front();
        }
        break;
      case 5:  // the writer sets; nobody else sets before it has published
        if (publishing.empty() && !(asked == 1 && writing)) publishing.push_back(copy = ++last);
        break;
      case 6:  // the connection is lost with what is under way on it
        linked = false;
        channel.clear();
        break;
      case 7:
        if (asked == 1) finish(false);
        break;
      case 8:
        if (asked == 2) finish(true);
        break;
    }
  }
};

}  // namespace

TEST_CASE("in the end the replica has what the copy has") {
  for (unsigned seed = 0; seed < 4000; ++seed) {
    CAPTURE(seed);
    world w(seed, seed % 3 == 0);
    for (int i = 0; i < 60; ++i) w.step(false);
    for (int i = 0; i < 400; ++i) w.step(true);
    REQUIRE(w.asked == 0);
    REQUIRE(w.linked);
    REQUIRE(w.plan.is_ready());
    REQUIRE(w.channel.empty());
    // A forced start runs with what it wrote already, whether or not it heard of it.
    const bool runs_own = w.applied == -1 && w.copy == w.mine;
    REQUIRE((w.applied == w.copy || runs_own));
  }
}

TEST_CASE("an update message") {
  gateway_settings scope;
  scope.tenant = "acme";
  scope.project = "shop";
  const auto text =
      write_update(scope, R"({"pools": {"x": 1}})", "env.startup", std::chrono::system_clock::time_point(1500ms));
  CHECK(text ==
        R"({"tenant": "acme", "project": "shop", "ts": 1.5, "config": {"pools": {"x": 1}}, "actor": "env.startup"})");
  auto u = read_update(text, "acme", "shop");
  REQUIRE(u);
  CHECK(u->config == R"({"pools": {"x": 1}})");
  CHECK(u->actor == "env.startup");
  CHECK(read_update(R"({"config": {}})", "acme", "shop")->actor == "");
  auto why = [](std::string_view message) { return read_update(message, "acme", "shop").error().message(); };
  CHECK(why(text.substr(1)) != "");
  CHECK(why("[]") == "the document: expected an object, found an array");
  CHECK(why("{}") == "config: is missing");
  CHECK(why(R"({"config": 5})") == "config: expected an object, found an integer");
  CHECK(why(R"({"config": {}, "tenant": "other"})") == "tenant: found \"other\"; allowed: \"acme\"");
  CHECK(why(R"({"config": {}, "actor": 5})") == "actor: expected text, found an integer");
}
