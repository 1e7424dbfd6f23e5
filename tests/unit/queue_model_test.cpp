/// The queue's protocol, explored: every order of steps of small worlds in which processes die and answers are lost.

#include "support/queue_model.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <unordered_set>

using namespace corbel::test::queue_model;

namespace {

/// Every world that can be reached, the nearest first, until one is found that is wrong.
class exploration {
 public:
  explicit exploration(const rules &r) : rules_(r), index_(1 << 16, hash{&worlds_}, same{&worlds_}) {
    auto first = first_world(r);
    make_canonical(first);
    keep(first, 0, {});
    for (std::uint32_t i = 0; i < worlds_.size() && fault_.empty(); ++i) go_on(i);
    if (fault_.empty()) check_drains();
  }

  const std::string &fault() const noexcept { return fault_; }
  std::size_t worlds() const noexcept { return worlds_.size(); }
  std::size_t steps() const noexcept { return steps_; }
  /// The steps that led to the fault.
  std::string story() const {
    std::string out;
    for (auto i = at_fault_; i != 0; i = came_from_[i]) out = "\n  " + text(by_[i]) + out;
    return fault_ + ", after" + out;
  }

 private:
  struct hash {
    const std::vector<world> *all;
    std::size_t operator()(std::uint32_t i) const {
      return std::hash<std::string_view>()({reinterpret_cast<const char *>(&(*all)[i]), sizeof(world)});
    }
  };
  struct same {
    const std::vector<world> *all;
    bool operator()(std::uint32_t a, std::uint32_t b) const { return (*all)[a] == (*all)[b]; }
  };

  /// Its number; a new one when it was not known.
  std::uint32_t keep(const world &w, std::uint32_t from, step by) {
    const auto number = static_cast<std::uint32_t>(worlds_.size());
    worlds_.push_back(w);
    const auto [known, fresh] = index_.insert(number);
    if (!fresh) {
      worlds_.pop_back();
      return *known;
    }
    came_from_.push_back(from);
    by_.push_back(by);
    return number;
  }
  world after(std::uint32_t i, step s) const {
    auto next = worlds_[i];
    apply(next, s, rules_);
    return next;
  }
  void found(std::string what, std::uint32_t i) {
    fault_ = std::move(what);
    at_fault_ = i;
  }

  void go_on(std::uint32_t i) {
    for (auto s : possible(worlds_[i], rules_)) {
      auto next = after(i, s);
      ++steps_;
      auto wrong = fault_of(next, rules_);
      make_canonical(next);
      const auto number = keep(next, i, s);
      if (!wrong.empty()) return found(std::move(wrong), number);
    }
  }

  /// From every world its fair continuation comes to rest with every message done or dead. A step of it leads to a world
  /// that is known, so each world has one successor, and looking at each once is enough.
  void check_drains() {
    enum : std::uint8_t { unknown, on_the_way, well };
    std::vector<std::uint8_t> state(worlds_.size(), unknown);
    std::vector<std::uint32_t> way;
    for (std::uint32_t i = 0; i < worlds_.size(); ++i) {
      auto at = i;
      for (step s{}; state[at] == unknown;) {
        state[at] = on_the_way;
        way.push_back(at);
        if (!fair_step(worlds_[at], rules_, s)) {
          if (!is_drained(worlds_[at])) return found("a message is stuck", at);
          state[at] = well;
          break;
        }
        auto next = after(at, s);
        make_canonical(next);
        at = keep(next, at, s);
        if (at >= state.size()) return found("a fair step was not explored", at);
      }
      if (state[at] != well) return found("it never comes to rest", at);
      for (auto passed : way) state[passed] = well;
      way.clear();
    }
  }

  const rules rules_;
  std::vector<world> worlds_;
  std::vector<std::uint32_t> came_from_;
  std::vector<step> by_;
  std::unordered_set<std::uint32_t, hash, same> index_;
  std::size_t steps_ = 0;
  std::string fault_;
  std::uint32_t at_fault_ = 0;
};

/// Under a sanitizer only small worlds.
bool is_short() { return std::getenv("CORBEL_ROUNDS") != nullptr; }

constexpr std::uint8_t only(std::initializer_list<how> ways) {
  unsigned bits = 0;
  for (auto way : ways) bits |= 1u << static_cast<unsigned>(way);
  return static_cast<std::uint8_t>(bits);
}

void check_all(const char *what, const rules &r) {
  exploration e(r);
  std::printf("%-75s %7zu worlds, %8zu steps\n", what, e.worlds(), e.steps());
  CHECK_MESSAGE(e.fault().empty(), e.story());
}

/// The shortest way to the fault is printed.
void check_found(mutation wrong, const std::string &fault, rules r = {.messages = 1, .producers = 1}) {
  r.wrong = wrong;
  exploration e(r);
  std::printf("%s\n", e.story().c_str());
  CHECK(e.fault() == fault);
}

}  // namespace

TEST_CASE("two producers, two consumers, every way to settle, one death: nothing is lost, worked for two, or stuck") {
  check_all("2 messages, 1 death", {.losses = 0});
}

TEST_CASE("one message, every way to settle, deaths and lost answers") {
  check_all("1 message, 2 deaths, 1 loss", {.messages = 1, .producers = 1, .deaths = 2, .losses = 1});
  if (!is_short()) check_all("1 message, 1 death, 2 losses", {.messages = 1, .producers = 1, .deaths = 1, .losses = 2});
}

TEST_CASE("two messages, two deaths and two lost answers or late requests") {
  const std::uint8_t most = is_short() ? 1 : 2;
  check_all("2 messages, done only, 1 attempt, 2 deaths, 2 losses",
            {.max_attempts = 1, .ways = only({how::done}), .deaths = most, .losses = most});
}

TEST_CASE("messages of one group: one at a time, in their order, woken when it is their turn") {
  if (!is_short())
    check_all("2 messages of one group, done and handed back, 1 death, 1 loss",
              {.grouped = 3, .ways = only({how::done, how::hand_back})});
  check_all("3 messages of one group, 1 attempt, 1 death", {.messages = 3, .grouped = 7, .max_attempts = 1, .losses = 0});
  check_all(
      "4 messages of one group, done or tried again later",
      {.messages = 4, .producers = 1, .grouped = 15, .ways = only({how::done, how::retry_later}), .deaths = 0, .losses = 0});
}

TEST_CASE("claims of two messages: each is settled by itself, the lease of both ends once") {
  check_all("2 messages in one claim, every way to settle, 1 death", {.producers = 1, .most = 2, .deaths = 1, .losses = 0});
  check_all("2 messages in one claim, done and tried again, 1 attempt, 1 death, 1 loss",
            {.producers = 1, .max_attempts = 1, .most = 2, .ways = only({how::done, how::retry_later})});
  if (!is_short())
    check_all(
        "3 messages of which two are of one group, done and handed back, 1 death",
        {.messages = 3, .producers = 1, .grouped = 5, .most = 2, .ways = only({how::done, how::hand_back}), .losses = 0});
}

TEST_CASE("the model finds a put that is repeated without a key") {
  check_found(mutation::put_without_key, "message 0 is in 2 places");
}
TEST_CASE("the model finds a claim in two steps") { check_found(mutation::claim_in_two_steps, "message 0 is in 0 places"); }
TEST_CASE("the model finds a claim of a group that runs") {
  check_found(mutation::claim_of_busy_group, "two messages of one group run", {.grouped = 3});
}
TEST_CASE("the model finds a token that is given again") { check_found(mutation::tokens_again, "a token does not grow"); }
TEST_CASE("the model finds an acknowledge that does not look at the token") {
  check_found(mutation::ack_by_name, "a lease went from its holder unseen");
}
TEST_CASE("the model finds that a lost lease is told as success") {
  check_found(mutation::answer_lost_is_done, "message 0 was told done more often than it was");
}
TEST_CASE("the model finds a group that is not freed") {
  check_found(mutation::group_not_freed, "the group is held by no message that runs", {.grouped = 3});
}
TEST_CASE("the model finds that a message which comes back is overtaken by others of its group") {
  check_found(mutation::return_wakes_next, "a message of a group was overtaken by a later one",
              {.messages = 3, .producers = 1, .grouped = 7, .deaths = 0, .losses = 0});
}
TEST_CASE("the model finds that a delayed message mixes up those of its group that wait") {
  check_found(mutation::promote_overtakes, "a message of a group was overtaken by a later one",
              {.messages = 4, .producers = 1, .grouped = 15, .deaths = 0, .losses = 0});
}
TEST_CASE("the model finds a reaper that leaves in flight what it brings back") {
  check_found(mutation::reap_keeps_in_flight, "message 0 is in 2 places");
}
TEST_CASE("the model finds a reaper that does not count the attempt") {
  check_found(mutation::reap_uncounted, "message 0: its attempts are not counted");
}
TEST_CASE("the model finds a recall that gives back what others claimed") {
  check_found(mutation::recall_of_all, "a lease went from its holder unseen");
}
TEST_CASE("the model finds that a claim ends with its first message that is settled") {
  check_found(mutation::settle_ends_claim, "message 1 is in 0 places", {.producers = 1, .most = 2});
}
TEST_CASE("the model finds a reaper that tells one message of a claim as lost, and brings all back") {
  check_found(mutation::reap_tells_one, "a lease went from its holder unseen", {.producers = 1, .most = 2});
}
TEST_CASE("the model finds a renewal that takes a lost message back") {
  check_found(mutation::renew_takes_back, "message 0 is in 2 places");
}
