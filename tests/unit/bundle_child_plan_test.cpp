/// Which handler process gets which request, and what becomes of requests when processes die, hang or are replaced.

#include "bundle/child_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

using namespace corbel;
using corbel::detail::child_plan;
using namespace std::chrono_literals;

namespace {

using kind = child_plan::action::kind;

/// The actions as one line: "start 1/1, send 5>1".
std::string text(const child_plan::actions &all) {
  std::string out;
  for (const auto &a : all) {
    if (!out.empty()) out += ", ";
    const auto child = std::to_string(a.child), request = std::to_string(a.request);
    switch (a.what) {
      case kind::start:
        out += "start " + child + "/" + std::to_string(a.version);
        break;
      case kind::send:
        out += "send " + request + ">" + child;
        break;
      case kind::cancel:
        out += "cancel " + request + ">" + child;
        break;
      case kind::fail:
        out += "fail " + request + " " + (a.why.native().empty() ? status_name(a.why.code()) : a.why.native());
        break;
      case kind::stop:
        out += "stop " + child;
        break;
      case kind::kill:
        out += "kill " + child + " " + a.why.native();
        break;
    }
  }
  return out;
}

struct fixture {
  child_plan plan{8};
  child_plan::time_point t = child_plan::time_point{} + 1h;
  child_plan::time_point never = child_plan::time_point::max();
  child_plan::limits one{.concurrency = 1, .processes = 1, .start = 10s, .turn = 60s, .stop = 5s};
  error died{status::lost, "it died", "bundle", "DIED"};

  std::string add(std::uint64_t id) { return text(plan.add(id, never, t)); }
  std::string answered(std::uint64_t child, std::uint64_t id) {
    child_plan::actions out;
    return plan.answered(child, id, t, out) ? text(out) : "not its own";
  }
  std::string tick(std::chrono::milliseconds later) { return text(plan.tick(t += later)); }
  std::string ended(std::uint64_t child) { return text(plan.ended(child, died, t)); }
};

}  // namespace

TEST_CASE_FIXTURE(fixture,
                  "the first request starts a process; it gets the request when it is ready, the next one after that") {
  CHECK(add(1).empty());
  CHECK(text(plan.current(1, one, t)) == "start 1/1");
  CHECK(text(plan.ready(1, t)) == "send 1>1");
  CHECK(add(2).empty());
  CHECK(plan.waiting() == 1);
  CHECK(answered(1, 1) == "send 2>1");
  CHECK(answered(1, 1) == "not its own");
  CHECK(answered(1, 2).empty());
  CHECK(plan.in_hand() == 0);
}

TEST_CASE_FIXTURE(fixture, "further processes are started for what goes beyond, and the one with the least gets the next") {
  one.concurrency = 2;
  one.processes = 2;
  plan.current(1, one, t);
  CHECK(add(1) == "start 1/1");
  CHECK(add(2).empty());
  CHECK(add(3) == "start 2/1");
  CHECK(text(plan.ready(2, t)) == "send 1>2, send 2>2");
  CHECK(text(plan.ready(1, t)) == "send 3>1");
  CHECK(add(4) == "send 4>1");
  CHECK(add(5).empty());
  CHECK(answered(2, 1) == "send 5>2");
}

TEST_CASE_FIXTURE(fixture, "a new version takes over once it is ready; the old one ends what it has and stops") {
  plan.current(1, one, t);
  add(1);
  plan.ready(1, t);
  CHECK(text(plan.current(2, one, t)) == "start 2/2");
  CHECK(add(2).empty());
  CHECK(text(plan.ready(2, t)) == "send 2>2");
  CHECK(plan.serving() == 2);
  CHECK(answered(1, 1) == "stop 1");
  CHECK(plan.uses(1));
  CHECK(ended(1).empty());
  CHECK_FALSE(plan.uses(1));
  CHECK(answered(2, 2).empty());
  // One that has nothing in hand stops at once.
  CHECK(text(plan.current(3, one, t)) == "start 3/3");
  CHECK(text(plan.ready(3, t)) == "stop 2");
  CHECK(tick(4999ms).empty());
  CHECK(tick(1ms) == "kill 2 STOP");
}

TEST_CASE_FIXTURE(fixture, "a version that was passed over while it started is stopped") {
  plan.current(1, one, t);
  add(1);
  plan.ready(1, t);
  answered(1, 1);
  CHECK(text(plan.current(2, one, t)) == "start 2/2");
  CHECK(text(plan.current(3, one, t)) == "stop 2, start 3/3");
  CHECK(text(plan.ready(2, t)).empty());
  CHECK(add(2) == "send 2>1");
}

TEST_CASE_FIXTURE(fixture, "a new version that does not start leaves the old one serving, and is tried ever more rarely") {
  plan.current(1, one, t);
  add(1);
  plan.ready(1, t);
  answered(1, 1);
  plan.current(2, one, t);
  CHECK(ended(2) == "start 3/2");  // the first death is mended at once
  CHECK(ended(3).empty());
  CHECK(plan.broken().native() == "DIED");
  CHECK(plan.next_tick(t) == t + 100ms);
  CHECK(add(2) == "send 2>1");
  CHECK(answered(1, 2).empty());
  CHECK(tick(99ms).empty());
  CHECK(tick(1ms) == "start 4/2");
  CHECK(tick(9999ms).empty());
  CHECK(tick(1ms) == "kill 4 START");
  CHECK(text(plan.unusable(3, error(status::invalid, "no manifest", "bundle", "MANIFEST"), t)).empty());
  CHECK(ended(4).empty());
  CHECK(add(3) == "send 3>1");
  CHECK_FALSE(plan.next_tick(t) == t);
}

TEST_CASE_FIXTURE(fixture, "while nothing starts, what waits fails at once with the reason") {
  plan.current(1, one, t);
  CHECK(add(1) == "start 1/1");
  CHECK(ended(1) == "start 2/1");
  CHECK(ended(2) == "fail 1 START");
  CHECK(add(2) == "fail 2 START");
  // Another one comes: they wait for it.
  plan.coming();
  CHECK(add(4).empty());
  CHECK(text(plan.unusable(2, died, t)) == "fail 4 DIED");
  CHECK(text(plan.current(3, one, t)).empty());
  t += 100ms;
  CHECK(add(3) == "start 3/3");
  CHECK(text(plan.ready(3, t)) == "send 3>3");
  CHECK_FALSE(plan.broken());
}

TEST_CASE_FIXTURE(fixture, "what a process had in hand fails once when it dies; what waits gets the next one") {
  one.concurrency = 2;
  plan.current(1, one, t);
  add(1), add(2), add(3);
  CHECK(text(plan.ready(1, t)) == "send 1>1, send 2>1");
  CHECK(ended(1) == "fail 1 DIED, fail 2 DIED, start 2/1");
  CHECK(text(plan.ready(2, t)) == "send 3>2");
  CHECK(ended(1).empty());
  // Again, soon after: it waits a little, and fails nobody who has not been in its hands.
  CHECK(ended(2) == "fail 3 DIED");
  CHECK(add(4).empty());
  CHECK(plan.next_tick(t) == t + 100ms);
  CHECK(tick(100ms) == "start 3/1");
}

TEST_CASE_FIXTURE(fixture,
                  "a request past its time fails; its place stays taken until the process has answered, or is ended") {
  plan.current(1, one, t);
  add(1);
  plan.ready(1, t);
  CHECK(add(2).empty());
  CHECK(tick(59'999ms).empty());
  CHECK(tick(1ms) == "fail 1 TURN, cancel 1>1");
  CHECK(tick(4999ms).empty());
  SUBCASE("it answers after all") {
    CHECK(answered(1, 1) == "send 2>1");
    CHECK(tick(10s).empty());
  }
  SUBCASE("it does not") {
    CHECK(tick(1ms) == "kill 1 CANCEL");
    CHECK(ended(1) == "start 2/1");
    CHECK(text(plan.ready(2, t)) == "send 2>2");
  }
}

TEST_CASE_FIXTURE(fixture, "waiting has an end of its own, and a limit") {
  plan.current(1, one, t);
  CHECK(text(plan.add(1, t + 1s, t)) == "start 1/1");
  CHECK(plan.next_tick(t) == t + 1s);
  CHECK(tick(1s) == "fail 1 WAITED");
  for (std::uint64_t id = 2; id < 10; ++id) CHECK(add(id).empty());
  CHECK(add(10) == "fail 10 WAITING");
  plan.drop(2, t);
  CHECK(add(11).empty());
}

TEST_CASE_FIXTURE(fixture, "closed, it ends what is in hand and stops everything") {
  plan.current(1, one, t);
  add(1), add(2);
  plan.ready(1, t);
  CHECK(text(plan.close(error(status::closed, "closed"), t)) == "fail 2 CLOSED");
  CHECK(add(3) == "fail 3 CLOSED");
  CHECK(answered(1, 1) == "stop 1");
  CHECK_FALSE(plan.empty());
  ended(1);
  CHECK(plan.empty());
  CHECK_FALSE(plan.next_tick(t));
}

TEST_CASE("a thousand random schedules: each request ends exactly once, no process has too many, and none is left over") {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&random](unsigned n) { return std::uniform_int_distribution<unsigned>(0, n - 1)(random); };
    child_plan plan(16);
    auto t = child_plan::time_point{} + 1h;
    child_plan::limits l{.concurrency = 1 + below(3), .processes = 1 + below(3), .start = 1s, .turn = 5s, .stop = 1s};
    struct process {
      std::uint64_t version;
      bool ready = false, stopped = false, killed = false;
      std::set<std::uint64_t> has = {};
    };
    std::map<std::uint64_t, process> processes;
    std::set<std::uint64_t> open;
    std::uint64_t last_request = 0, last_version = 0;
    std::string faults;
    const auto note = [&faults](const char *what) {
      if (faults.find(what) == faults.npos) faults += what;
    };
    const auto carry_out = [&](const child_plan::actions &all) {
      for (const auto &a : all) {
        if (a.what == kind::start) processes[a.child] = {.version = a.version};
        if (a.what == kind::send) {
          auto &p = processes.at(a.child);
          if (!p.ready || p.stopped || p.killed) note("sent to one that cannot take it");
          if (!open.contains(a.request) || !p.has.insert(a.request).second) note("sent twice, or after its end");
          if (p.has.size() > l.concurrency) note("too many in hand");
        }
        if (a.what == kind::fail && open.erase(a.request) != 1) note("ended twice");
        if (a.what == kind::stop) processes.at(a.child).stopped = true;
        if (a.what == kind::kill) processes.at(a.child).killed = true;
      }
      for (const auto &[id, p] : processes)
        if (std::ranges::count_if(processes, [&p](auto &o) { return o.second.version == p.version; }) >
            std::ptrdiff_t(l.processes))
          note("too many processes");
    };
    const auto end = [&](std::uint64_t id) {
      processes.erase(id);
      carry_out(plan.ended(id, error(status::lost, "died", "bundle", "DIED"), t));
    };
    for (unsigned step = 0; step < 200; ++step) {
      t += std::chrono::milliseconds(below(300));
      auto it = processes.begin();
      if (!processes.empty()) std::advance(it, below(unsigned(processes.size())));
      const auto what = below(20);
      if (what == 0) {
        carry_out(plan.current(++last_version, l, t));
      } else if (what < 8) {
        open.insert(++last_request);
        carry_out(plan.add(last_request, t + std::chrono::milliseconds(100 + below(8000)), t));
      } else if (what == 8 && !open.empty()) {
        const auto id = *open.begin();
        open.erase(id);
        carry_out(plan.drop(id, t));
      } else if (it == processes.end()) {
        continue;
      } else if (what == 9) {
        end(it->first);
      } else if (it->second.killed || (it->second.stopped && it->second.has.empty() && below(2))) {
        end(it->first);
      } else if (!it->second.ready) {
        it->second.ready = true;
        carry_out(plan.ready(it->first, t));
      } else if (!it->second.has.empty()) {
        const auto id = *it->second.has.begin();
        it->second.has.erase(id);
        child_plan::actions out;
        if (!plan.answered(it->first, id, t, out)) note("an answer was not taken");
        open.erase(id);
        carry_out(out);
      }
      carry_out(plan.tick(t));
      const auto due = plan.next_tick(t);
      if (due && *due <= t) note("it wants to be called at once, again and again");
    }
    carry_out(plan.close(error(status::closed, "closed"), t));
    for (unsigned i = 0; i < 100 && !plan.empty(); ++i) {
      carry_out(plan.tick(t += 1s));
      for (const auto &[id, p] : std::map(processes))
        if (p.killed || (p.stopped && p.has.empty())) end(id);
    }
    CHECK_MESSAGE(faults.empty(), "seed " << seed << ": " << faults);
    CHECK_MESSAGE(plan.empty(), "seed " << seed);
    CHECK_MESSAGE(open.empty(), "seed " << seed);
  }
}
