#include "postgres/wanted_channels.hpp"

#include <doctest/doctest.h>

#include <random>

using corbel::detail::wanted_channels;
using answer = wanted_channels::answer;

TEST_CASE("the server is asked once, told when the last has left") {
  wanted_channels w;
  CHECK(w.want(1, "a") == answer::ask);
  const auto q = w.asked("a");
  CHECK(w.want(2, "a") == answer::pending);
  CHECK(w.confirmed("a", q));
  CHECK(w.want(3, "a") == answer::there);
  CHECK_FALSE(w.leave(1, "a"));
  CHECK_FALSE(w.leave(1, "a"));
  CHECK_FALSE(w.leave(2, "a"));
  CHECK(w.leave(3, "a"));
  CHECK(w.empty());
}

TEST_CASE("only the answer to the last question counts") {
  wanted_channels w;
  w.want(1, "a");
  const auto old = w.asked("a");
  CHECK(w.leave(1, "a"));
  CHECK(w.want(1, "a") == answer::ask);
  const auto now = w.asked("a");
  CHECK_FALSE(w.confirmed("a", old));
  CHECK_FALSE(w.is_complete());
  CHECK(w.confirmed("a", now));
  CHECK(w.is_complete());
  w.lost();
  CHECK_FALSE(w.is_complete());
  CHECK_FALSE(w.confirmed("a", now));
}

TEST_CASE("random schedules: who wants a channel is who is told, after any number of losses") {
  for (unsigned seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    std::minstd_rand random(seed);
    wanted_channels w;
    std::map<std::string, std::set<std::uint64_t>> model;
    const std::string names[] = {"a", "b", "c"};
    for (int step = 0; step < 100; ++step) {
      const auto who = random() % 4 + 1;
      const auto &name = names[random() % 3];
      switch (random() % 4) {
        case 0:
          CHECK((w.want(who, name) == answer::ask) == model[name].empty());
          model[name].insert(who);
          break;
        case 1:
          CHECK(w.leave(who, name) == (model[name].erase(who) == 1 && model[name].empty()));
          break;
        case 2:
          w.lost();
          for (auto &channel : w.all()) CHECK(w.confirmed(channel, w.asked(channel)));
          CHECK(w.is_complete());
          break;
        default: {
          std::size_t left = 0;
          for (auto &[channel, readers] : model) left += readers.erase(who) == 1 && readers.empty();
          CHECK(w.leave_all(who).size() == left);
        }
      }
      for (auto &n : names) CHECK(w.readers_of(n) == model[n]);
    }
  }
}
