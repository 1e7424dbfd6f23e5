#include "http/probes.hpp"

#include <doctest/doctest.h>

using namespace corbel;

TEST_CASE("probes say ok, or why not; verbose names every part") {
  health_summary s{.state = health_state::degraded, .because = "mail: slow", .ready = true};
  s.parts.push_back({{.part = "mail", .state = health_state::degraded, .reason = "slow"}, {}, {}});
  s.parts.push_back({{.part = "runtime", .state = health_state::ok, .required = true, .vital = true}, {}, {}});
  auto plain = probe_answer(s, false, false);
  CHECK(plain.status == 200);
  CHECK(plain.body == "ok");
  CHECK(probe_answer(s, false, true).body == "[~]mail degraded: slow (not required)\n[+]runtime ok\nreadyz check passed\n");
  CHECK(probe_answer(s, true, true).body == "[+]runtime ok\nlivez check passed\n");

  s.ready = s.alive = false;
  s.why_not_ready = "it drains";
  s.why_not_alive = "runtime: held";
  CHECK(probe_answer(s, false, false).status == 503);
  CHECK(probe_answer(s, false, false).body == "it drains");
  CHECK(probe_answer(s, true, true).status == 503);
  CHECK(probe_answer(s, true, true).body == "[+]runtime ok\nlivez check failed: runtime: held\n");
}
