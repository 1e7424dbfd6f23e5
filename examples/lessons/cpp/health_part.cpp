// Lesson: a part of the host that reports its health. The roll-up says whether the host is ready, and because of what; every
// change is told.
//
//     build/dev/examples/lessons/lesson_cpp_health_part
#include <corbel/health.hpp>

#include <cstdio>

using namespace std::chrono_literals;
using corbel::health_state;

static void say(corbel::runtime &rt, health_state state, const char *reason) {
  corbel::set_health(rt, {.part = "mail",
                          .state = state,
                          .reason = reason,
                          .required = true,     // without it the host is not ready
                          .fresh_for = 1min});  // turns stale when nothing is said for so long
  const auto summary = corbel::health(rt);
  std::printf("%s: ready %d%s%s\n", corbel::health_state_name(state), summary.ready, summary.because.empty() ? "" : ", ",
              summary.because.c_str());
}

int main() {
  std::puts("lesson: health_part");
  corbel::runtime rt({.name = "health_part"});
  corbel::on_health_change(rt, [](const corbel::health_change &c) {  // on the listener thread
    if (c.part.empty()) std::printf("the host is %s\n", c.ready ? "ready" : "not ready");
  });
  say(rt, health_state::ok, "");
  say(rt, health_state::saturated, "8 of 8 letters under way");  // all that it can do: not ill
  say(rt, health_state::down, "no answer on port 25");
  say(rt, health_state::ok, "");
  rt.shutdown(5s).value();
  std::printf("ready again: %d\n", corbel::health(rt).ready);
}
