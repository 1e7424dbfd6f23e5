#include "queue/queue_metrics.hpp"

#include <doctest/doctest.h>

using namespace corbel::detail;
using namespace std::chrono_literals;

namespace {
bool has(const std::string &text, const std::string &line) {
  const bool found = text.find(line + "\n") != std::string::npos;
  if (!found) MESSAGE(text);
  return found;
}
}  // namespace

TEST_CASE("a producer's figures, refusals by reason") {
  queue_counters c;
  c.put.add(3);
  c.repeated.add(1);
  c.refused("hard_limit_exceeded", 2);
  c.refused("no_healthy_processes");
  c.refused("hard_limit_exceeded");
  metrics_writer w;
  write_producer_metrics(w, "work", c);
  const auto text = w.text();
  CHECK(has(text, "corbel_queue_put_total{queue=\"work\"} 3"));
  CHECK(has(text, "corbel_queue_put_repeated_total{queue=\"work\"} 1"));
  CHECK(has(text, "corbel_queue_put_refused_total{queue=\"work\",reason=\"hard_limit_exceeded\"} 3"));
  CHECK(has(text, "corbel_queue_put_refused_total{queue=\"work\",reason=\"no_healthy_processes\"} 1"));
}

TEST_CASE("a consumer's figures; two of one queue add up") {
  queue_counters one, two;
  one.claimed.add(5);
  one.done.add(2);
  one.retried.add(1);
  two.done.add(1);
  two.buried.add(1);
  two.handed_back.add(4);
  one.lost.add(1);
  two.brought_back.add(2);
  two.interrupted.add(3);
  one.wait.record(2ms);
  two.wait.record(70s);
  one.run.record(40ms);
  one.in_hand = 2;
  two.in_hand = 1;
  one.buffered = 7;
  one.capacity = 8;
  two.capacity = 8;
  metrics_writer w;
  write_consumer_metrics(w, "work", one);
  write_consumer_metrics(w, "work", two);
  const auto text = w.text();
  CHECK(has(text, "corbel_queue_claimed_total{queue=\"work\"} 5"));
  CHECK(has(text, "corbel_queue_settled_total{how=\"done\",queue=\"work\"} 3"));
  CHECK(has(text, "corbel_queue_settled_total{how=\"retry\",queue=\"work\"} 1"));
  CHECK(has(text, "corbel_queue_settled_total{how=\"bury\",queue=\"work\"} 1"));
  CHECK(has(text, "corbel_queue_settled_total{how=\"hand_back\",queue=\"work\"} 4"));
  CHECK(has(text, "corbel_queue_leases_lost_total{queue=\"work\"} 1"));
  CHECK(has(text, "corbel_queue_brought_back_total{queue=\"work\"} 2"));
  CHECK(has(text, "corbel_queue_interrupted_total{queue=\"work\"} 3"));
  CHECK(has(text, "corbel_queue_wait_seconds_bucket{queue=\"work\",le=\"0.002\"} 1"));
  CHECK(has(text, "corbel_queue_wait_seconds_count{queue=\"work\"} 2"));
  CHECK(has(text, "corbel_queue_run_seconds_sum{queue=\"work\"} 0.04"));
  CHECK(has(text, "corbel_queue_in_hand{queue=\"work\"} 3"));
  CHECK(has(text, "corbel_queue_buffered{queue=\"work\"} 7"));
  CHECK(has(text, "corbel_queue_capacity{queue=\"work\"} 16"));
}

TEST_CASE("figures are in the runtime's metrics while their owner lives") {
  auto rt = runtime_core::open({}, nullptr);
  auto counters = std::make_shared<queue_counters>();
  {
    queue_metrics shown(*rt, {.name = "work"}, queue_metrics::side::producer, counters);
    counters->put.add(1);
    CHECK(has(rt->metrics().text(), "corbel_queue_put_total{queue=\"work\"} 1"));
  }
  CHECK(rt->metrics().text().find("corbel_queue") == std::string::npos);
}
