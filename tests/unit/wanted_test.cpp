#include "redis/wanted.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <random>
#include <set>

using namespace corbel::detail;
using actions = wanted_names::actions;

namespace {
constexpr auto channel = name_kind::channel;

/// A server that answers what it is sent, in order, and the calls that were completed.
struct peer {
  wanted_names wanted;
  bool online = false;
  std::set<std::string> subscribed;
  std::deque<std::pair<bool, std::string>> in_flight;
  std::map<wanted_names::call_id, int> completed;
  int restored = 0;

  void perform(const actions &a) {
    for (auto &n : a.unsubscribe[0]) in_flight.emplace_back(false, n);
    for (auto &n : a.subscribe[0]) in_flight.emplace_back(true, n);
    if (!online) CHECK((a.unsubscribe[0].empty() && a.subscribe[0].empty()));
    for (auto c : a.confirmed) ++completed[c];
    for (auto c : a.unneeded) ++completed[c];
    restored += a.all_confirmed ? 1 : 0;
  }
  void answer_one() {
    if (in_flight.empty()) return;
    auto [on, name] = in_flight.front();
    in_flight.pop_front();
    if (on)
      subscribed.insert(name);
    else
      subscribed.erase(name);
    perform(wanted.confirmed(channel, name, on));
  }
  void connect() {
    online = true;
    perform(wanted.connected());
  }
  void lose() {
    online = false;
    in_flight.clear();
    subscribed.clear();
    perform(wanted.lost());
  }
};
}  // namespace

TEST_CASE("a subscribe completes with the server's confirmation, the second of the same name without asking") {
  peer p;
  p.connect();
  p.perform(p.wanted.want(1, channel, "a", 100));
  CHECK(p.completed.empty());
  p.answer_one();
  CHECK(p.completed[100] == 1);
  p.perform(p.wanted.want(2, channel, "a", 101));
  CHECK(p.completed[101] == 1);
  CHECK(p.in_flight.empty());
  p.perform(p.wanted.leave(1, channel, "a", 102));
  CHECK(p.completed[102] == 1);
  CHECK(p.in_flight.empty());
  p.perform(p.wanted.leave(2, channel, "a", 103));
  CHECK_FALSE(p.completed.contains(103));
  p.answer_one();
  CHECK(p.completed[103] == 1);
  CHECK(p.wanted.size() == 0);
}

TEST_CASE("a name left and wanted again before the server answered is asked for again") {
  peer p;
  p.connect();
  p.perform(p.wanted.want(1, channel, "a", 1));
  p.answer_one();
  p.perform(p.wanted.leave(1, channel, "a", 2));
  p.perform(p.wanted.want(1, channel, "a", 3));
  CHECK(p.in_flight.size() == 1);
  p.answer_one();
  CHECK(p.completed[2] == 1);
  CHECK_FALSE(p.completed.contains(3));
  p.answer_one();
  CHECK(p.completed[3] == 1);
  CHECK(p.subscribed == std::set<std::string>{"a"});
}

TEST_CASE("what is wanted survives a loss and is told when all of it is confirmed") {
  peer p;
  p.connect();
  for (int i = 0; i < 10; ++i) p.perform(p.wanted.want(1, channel, std::to_string(i), static_cast<unsigned>(i)));
  while (!p.in_flight.empty()) p.answer_one();
  p.lose();
  p.perform(p.wanted.want(1, channel, "while down", 50));
  p.connect();
  CHECK(p.in_flight.size() == 11);
  while (p.in_flight.size() > 1) p.answer_one();
  const int before = p.restored;
  p.answer_one();
  CHECK(p.restored == before + 1);
  CHECK(p.completed[50] == 1);
}

TEST_CASE("a call that gives up takes its want back") {
  peer p;
  p.perform(p.wanted.want(1, channel, "a", 1));
  p.perform(p.wanted.give_up(1));
  CHECK(p.wanted.size() == 0);
  p.connect();
  CHECK(p.in_flight.empty());
}

TEST_CASE("five thousand random schedules: at rest the server's set is the wanted set, and every call completed once") {
  std::mt19937 random(3);
  auto pick = [&](unsigned n) { return std::uniform_int_distribution<unsigned>(0, n - 1)(random); };
  for (int schedule = 0; schedule < 5000; ++schedule) {
    peer p;
    std::map<std::pair<unsigned, std::string>, int> wants;
    std::set<wanted_names::call_id> given_up;
    std::map<wanted_names::call_id, std::pair<unsigned, std::string>> joins;
    wanted_names::call_id call = 0;
    for (int step = 0; step < 60; ++step) {
      const unsigned reader = 1 + pick(3);
      const std::string name(1, static_cast<char>('a' + pick(4)));
      switch (pick(8)) {
        case 0:
        case 1:
          ++wants[{reader, name}];
          joins[++call] = {reader, name};
          p.perform(p.wanted.want(reader, channel, name, call));
          break;
        case 2:
          if (wants[{reader, name}] > 0) --wants[{reader, name}];
          p.perform(p.wanted.leave(reader, channel, name, ++call));
          break;
        case 3:
          if (p.online)
            p.lose();
          else
            p.connect();
          break;
        case 4:
          for (auto &[w, n] : wants)
            if (w.first == reader) n = 0;
          p.perform(p.wanted.forget(reader));
          break;
        case 5: {
          if (call == 0) break;
          const auto victim = 1 + pick(static_cast<unsigned>(call));
          if (!joins.contains(victim) || p.completed.contains(victim) || given_up.contains(victim)) break;
          given_up.insert(victim);
          --wants[joins[victim]];
          p.perform(p.wanted.give_up(victim));
          break;
        }
        default:
          p.answer_one();
          break;
      }
    }
    if (!p.online) p.connect();
    for (int i = 0; i < 1000 && !p.in_flight.empty(); ++i) p.answer_one();
    std::set<std::string> expected;
    for (auto &[w, n] : wants)
      if (n > 0) expected.insert(w.second);
    CHECK(p.subscribed == expected);
    CHECK(p.wanted.size() == expected.size());
    CHECK(p.wanted.is_settled());
    for (wanted_names::call_id c = 1; c <= call; ++c) CHECK(p.completed[c] == (given_up.contains(c) ? 0 : 1));
  }
}

TEST_CASE("a refused name fails those who waited for it, and the others are told restored without it") {
  peer p;
  p.connect();
  p.perform(p.wanted.want(1, channel, "kept", 1));
  p.answer_one();
  p.lose();
  p.perform(p.wanted.want(1, channel, "new", 2));
  p.connect();
  p.in_flight.clear();
  auto a = p.wanted.refused(channel, "kept");
  CHECK(a.refused.empty());
  CHECK_FALSE(a.all_confirmed);
  auto b = p.wanted.refused(channel, "new");
  CHECK(b.refused == std::vector<wanted_names::call_id>{2});
  CHECK(b.all_confirmed);
  CHECK(p.wanted.readers(channel, "kept") != nullptr);
  CHECK(p.wanted.readers(channel, "new") == nullptr);
  CHECK(p.wanted.is_settled());
}
