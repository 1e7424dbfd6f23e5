#include "relay/room.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <utility>

using namespace corbel;
using detail::relay_counts;
using detail::relay_room;

namespace {

relay_message message(int n, std::string target = {}) {
  return {.id = "m" + std::to_string(n),
          .session_id = "s",
          .event = "e",
          .data = std::to_string(n),
          .target_sid = std::move(target)};
}
std::vector<relay_message> messages(std::initializer_list<int> numbers) {
  std::vector<relay_message> all;
  for (int n : numbers) all.push_back(message(n));
  return all;
}
int number_of(const std::string &frame) { return std::stoi(frame.substr(frame.find("data: ") + 6)); }

struct listener {
  std::vector<int> got = {};
  relay_room::stream stream(std::uint64_t number, std::string id = {}, std::string after = {}) {
    return {number, std::move(id), std::move(after), {}, [this](const relay_frame &f) { got.push_back(number_of(*f)); }};
  }
};
using numbers = std::vector<int>;

}  // namespace

TEST_CASE("every stream of the session gets a message once, however often it comes") {
  relay_room room;
  relay_counts counts;
  listener a, b;
  room.join(a.stream(1));
  room.accept(message(1), counts);
  room.join(b.stream(2));
  room.accept(message(1), counts);
  room.accept(message(2), counts);
  room.leave(1);
  room.accept(message(3), counts);
  CHECK(a.got == numbers{1, 2});
  CHECK(b.got == numbers{2, 3});
  CHECK(counts.delivered == 4);
  CHECK(counts.duplicates == 1);
}

TEST_CASE("a message for one stream reaches it only") {
  relay_room room;
  relay_counts counts;
  listener a, b;
  room.join(a.stream(1, "A"));
  room.join(b.stream(2, "B"));
  room.accept(message(1, "B"), counts);
  room.accept(message(2, "C"), counts);
  CHECK(a.got.empty());
  CHECK(b.got == numbers{1});
  CHECK(counts.unreachable == 1);
}

TEST_CASE("messages without an id are all delivered, each with an id of its own") {
  relay_room room;
  relay_counts counts;
  std::vector<std::string> frames;
  room.join({1, {}, {}, {}, [&](const relay_frame &f) { frames.push_back(*f); }});
  auto m = message(1);
  m.id.clear();
  room.accept(m, counts);
  room.accept(m, counts);
  REQUIRE(frames.size() == 2);
  CHECK(frames[0] != frames[1]);
}

TEST_CASE("what was there before the first stream is not news, what came after is") {
  relay_room room;
  relay_counts counts;
  listener a;
  room.begin_hold();
  room.join(a.stream(1));
  room.baseline(messages({1, 2}));
  room.accept(message(4), counts);
  CHECK(a.got.empty());
  room.end_hold(messages({1, 2, 3, 4}), counts);
  CHECK(a.got == numbers{3, 4});
  CHECK(counts.recovered == 2);
}

TEST_CASE("a stream that comes back gets what came after the last it has seen, others nothing twice") {
  relay_room room;
  relay_counts counts;
  listener a, b, c;
  room.join(a.stream(1));
  for (int n : {1, 2, 3}) room.accept(message(n), counts);
  room.begin_hold();
  room.join(b.stream(2, {}, "m1"));
  room.join(c.stream(3, {}, "m99"));
  room.accept(message(4), counts);
  room.end_hold(messages({1, 2, 3}), counts);
  CHECK(a.got == numbers{1, 2, 3, 4});
  CHECK(b.got == numbers{2, 3, 4});
  CHECK(c.got == numbers{1, 2, 3, 4});
}

TEST_CASE("a stream is told after which event it begins, before its first frame") {
  relay_room room;
  relay_counts counts;
  std::vector<std::string> said;
  auto stream = [&](std::uint64_t number, std::string after) -> relay_room::stream {
    return {number,
            {},
            std::move(after),
            [&](const std::string &last) { said.push_back("after " + last); },
            [&](const relay_frame &f) { said.push_back(std::to_string(number_of(*f))); }};
  };
  room.begin_hold();
  room.join(stream(1, {}));
  CHECK(said.empty());
  room.baseline(messages({1, 2}));
  room.end_hold(messages({1, 2, 3}), counts);
  CHECK(said == std::vector<std::string>{"after m2", "3"});
  said.clear();
  room.join(stream(2, {}));
  room.begin_hold();
  room.join(stream(3, "m2"));
  CHECK(said == std::vector<std::string>{"after m3", "after m2"});
}

TEST_CASE("what is held too long is let through rather than lost") {
  relay_room room;
  relay_counts counts;
  listener a;
  room.join(a.stream(1));
  room.begin_hold();
  int all = int(relay_room::held_limit) + 10;
  for (int n = 0; n < all; ++n) room.accept(message(n), counts);
  CHECK(a.got.size() == 10);
  room.end_hold({}, counts);
  CHECK(int(a.got.size()) == all);
}

TEST_CASE("under any schedule of losses each stream gets everything once and in order") {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    std::mt19937 random(seed);
    auto one_in = [&](unsigned n) { return random() % n == 0; };
    relay_room room;
    relay_counts counts;
    // The server: what it keeps, and what is on the way to us. A notice of 0 is the loss of the connection.
    std::vector<relay_message> recent;
    std::deque<int> on_the_way;
    bool connected = true;
    int published = 0;
    // Us, as the relay does it.
    bool away = false;
    std::deque<std::vector<relay_message>> answers;  // recent lists that were read, each with a hold
    struct client {
      listener heard;
      int since = 0, number = 0;
    };
    std::map<int, client> clients;
    int last = 0;
    auto join = [&](client &c, std::string after) {
      if (!after.empty()) {
        room.begin_hold();
        answers.push_back(recent);
      }
      c.number = ++last;
      room.join(c.heard.stream(std::uint64_t(c.number), {}, std::move(after)));
    };
    auto read_notice = [&] {
      int n = on_the_way.front();
      on_the_way.pop_front();
      if (n != 0) return room.accept(message(n), counts);
      if (!std::exchange(away, true)) room.begin_hold();
    };
    auto answer = [&] {
      room.end_hold(answers.front(), counts);
      answers.pop_front();
    };
    auto reconnect = [&] {
      while (!on_the_way.empty()) read_notice();
      connected = true;
      if (!std::exchange(away, false)) room.begin_hold();
      answers.push_back(recent);
    };
    for (int step = 0; step < 120; ++step) {
      if (one_in(2)) {
        recent.push_back(message(++published));
        if (one_in(10)) recent.push_back(message(published));  // a publisher that tried again
        if (recent.size() > 100) recent.erase(recent.begin());
        if (connected) on_the_way.push_back(published);
      }
      if (!on_the_way.empty() && one_in(2)) read_notice();
      if (!answers.empty() && one_in(3)) answer();
      if (connected && one_in(15)) {
        on_the_way.resize(on_the_way.size() - random() % (on_the_way.size() + 1));
        on_the_way.push_back(0);
        connected = false;
      } else if (!connected && one_in(4)) {
        reconnect();
      }
      if (clients.size() < 4 && one_in(8)) {
        auto &c = clients[int(clients.size())];
        // A message that is on its way to nobody yet may still reach it: what counts is what is published from now on.
        c.since = published;
        join(c, {});
      } else if (!clients.empty() && one_in(10)) {
        auto &c = clients[int(random() % clients.size())];
        if (c.heard.got.empty()) continue;
        room.leave(std::uint64_t(c.number));
        join(c, "m" + std::to_string(c.heard.got.back()));
      }
    }
    if (!connected) reconnect();
    while (!on_the_way.empty()) read_notice();
    while (!answers.empty()) answer();
    for (auto &[n, c] : clients) {
      auto &got = c.heard.got;
      int since = c.since;
      CAPTURE(seed);
      REQUIRE(std::is_sorted(got.begin(), got.end()));
      REQUIRE(std::adjacent_find(got.begin(), got.end()) == got.end());
      REQUIRE(std::count_if(got.begin(), got.end(), [&](int m) { return m > since; }) == published - since);
    }
  }
}
