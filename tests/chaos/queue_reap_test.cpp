/// A reaper's pass over 100,000 messages in flight whose leases have ended, all of them.

#include "queue/protocol.hpp"
#include "support/queue_claims.hpp"
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>

using namespace corbel;
using namespace corbel::detail;
using namespace corbel::test;

TEST_CASE("a pass over 100,000 in flight brings all back in short steps") {
  constexpr int messages = 100000, batch = 500, width = 128;
  redis_server server;
  runtime rt;
  redis_pool pool(rt, {.url = server.url()});
  const auto protocol = make_native_protocol({.name = "work"});
  auto run = [&](script_call call) {
    auto r = come(async_run(pool, call.script, std::move(call.command), {}, boost::asio::use_future));
    REQUIRE_MESSAGE(r, r.error().message());
    return std::move(*r);
  };
  for (int first = 0; first < messages; first += batch) {
    std::vector<std::string> push{"LPUSH", "work"};
    for (int i = first; i < first + batch; ++i) push.push_back(std::to_string(i) + "\n" + std::string(1000, 'x'));
    server.command(push);
  }
  for (int claimed = 0, n = 0; claimed < messages; ++n) {
    const claim_request request{
        .most = width, .lease = std::chrono::milliseconds(100), .claim = std::to_string(n), .turns = {{0, width}}};
    claimed += static_cast<int>(run(protocol->claim(request)).root()[1].integer());
  }
  REQUIRE(in_flight(server) == messages);

  reap_request how{.name = "reaper", .lease = std::chrono::seconds(30)};
  run(protocol->reap(how));                                             // the first pass is left out
  server.command({"CONFIG", "SET", "slowlog-log-slower-than", "300"});  // the scripts, not the commands within them
  server.command({"CONFIG", "SET", "slowlog-max-len", "10000"});
  server.command({"SLOWLOG", "RESET"});
  server.command({"CONFIG", "RESETSTAT"});
  std::uint64_t back = 0;
  int steps = 0;
  do {
    const auto reply = run(protocol->reap(how));
    const auto answer = protocol->read_reap(reply.root());
    REQUIRE(answer.ours);
    back += answer.back;
    how.cursor = answer.cursor;
    ++steps;
  } while (how.cursor > 0);
  std::vector<long long> slow{0};  // microseconds
  for (const auto &entry : server.command({"SLOWLOG", "GET", "-1"}).elements)
    if (entry.elements[3].elements[0].text == "EVALSHA") slow.push_back(entry.elements[2].number);
  std::sort(slow.begin(), slow.end());
  const auto stats = server.info("cmdstat_evalsha");
  std::printf("%llu of 100,000 back in %d steps of %s us on average, the slowest took %lld us, %zu took over 5 ms\n",
              static_cast<unsigned long long>(back), steps, stats.substr(stats.find("usec_per_call=") + 14, 6).c_str(),
              slow.back(), static_cast<std::size_t>(slow.end() - std::upper_bound(slow.begin(), slow.end(), 5000)));
  CHECK(back == messages);
  CHECK(server.command({"EXISTS", "work:inflight", "work:leases", "work:holders"}).number == 0);
  CHECK(server.command({"LLEN", "work"}).number == messages);
  CHECK(server.command({"ZCARD", "work:lost"}).number == messages);
}
