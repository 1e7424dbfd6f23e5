// Replies that arrive byte by byte, and late.
#include "chaos/gated.hpp"

using namespace corbel;
using namespace corbel::test;

TEST_CASE("sliced to one byte: every answer is right, on pipelines, leases and subscriptions") {
  gated g;
  g.gate.slice(1);
  callers crowd(*g.pool, 100, 10, {.timeout = 20s});
  REQUIRE(until(patience, [&] { return crowd.ok() > 3000; }));
  REQUIRE(crowd.stop(patience));
  auto r = crowd.report();
  check_exactly_once(r);
  CHECK(r.ok == r.completed);

  auto lease = take(*g.pool, {.timeout = 20s}).value();
  ask(lease, redis_command("MULTI")).value();
  for (int i = 0; i < 50; ++i)
    ask(lease, redis_command("RPUSH", "list", std::string(static_cast<std::size_t>(i), 'x'))).value();
  CHECK(ask(lease, redis_command("EXEC")).value()->size() == 50);
  auto all = ask(*g.pool, redis_command("LRANGE", "list", 0, -1), {.timeout = 20s});
  REQUIRE(all);
  for (std::size_t i = 0; i < 50; ++i) CHECK(all->root()[i].text().size() == i);

  for (int i = 0; i < 100; ++i) g.server.command({"PUBLISH", "channel", std::to_string(i)});
  REQUIRE(g.reader->wait_for_payload("99"));
  CHECK(g.reader->payloads().size() == 100);
}

TEST_CASE("connections made through the slicer, again and again") {
  gated g;
  g.gate.slice(1);
  for (int round = 0; round < 20; ++round) {
    g.grow_old();
    g.gate.reset_all();
    REQUIRE(
        until(patience, [&] { return count(*g.reader, notice_kind::resubscribed) == static_cast<std::size_t>(round) + 1; }));
    g.check_alive();
  }
}

TEST_CASE("delayed by 500 ms: calls with time enough succeed, others time out once, and none is shifted") {
  gated g;
  g.gate.set_delay(500ms);
  std::vector<std::future<result<redis_reply>>> patient, hasty;
  for (int i = 0; i < 200; ++i) {
    patient.push_back(g.pool->async_send(redis_command("ECHO", i), {.timeout = 20s}, boost::asio::use_future));
    hasty.push_back(g.pool->async_send(redis_command("INCR", "n"), {.timeout = 100ms}, boost::asio::use_future));
  }
  auto timed_out =
      std::count_if(hasty.begin(), hasty.end(), [](auto &f) { return come(std::move(f)).error().is(status::timeout); });
  CHECK(timed_out == 200);
  std::size_t right = 0;
  for (std::size_t i = 0; i < patient.size(); ++i) right += text(come(std::move(patient[i]))) == std::to_string(i);
  CHECK(right == 200);
  CHECK(g.server.command({"GET", "n"}).text == "200");
  g.server.command({"PUBLISH", "channel", "late"});
  CHECK(g.reader->wait_for_payload("late"));
  g.gate.reset_all();
  g.check_alive();  // the handshake, too, waits 500 ms for its answer
  CHECK(g.pool->stats().timeouts == 200);
}
