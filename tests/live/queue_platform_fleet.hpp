#pragma once
/// A platform's queue, worked by producers and consumers of ours and by what else a test adds.

#include "live/queue_fixture.hpp"
#include "support/platform_lane.hpp"

namespace corbel::test {

struct fleet_fixture : queue_fixture {
  static queue_options options() {
    return {.layout = queue_layout::platform, .tenant = "t", .project = "p", .instance = "ours"};
  }
  void enqueue(const std::string &id, const std::string &conversation = "", const std::string &type = "registered") {
    auto answer = platform_enqueue(server, type, platform_task(id, conversation, type), {.capacity = 1000000});
    REQUIRE(answer.elements.at(0).number == 1);
  }
  long long left(const std::string &type = "registered") {
    return number({"LLEN", platform_queue + type}) + number({"LLEN", platform_queue + "inflight:" + type});
  }
  bool nothing_left() {
    long long sum = number({"HLEN", "t:p:corbel:queue:holders"}) + number({"ZCARD", "t:p:corbel:queue:delayed"});
    for (const char *type : {"privileged", "registered", "anonymous", "paid", "external"}) sum += left(type);
    const auto parked = server.command({"GET", "t:p:corbel:queue:parked"}).text;
    return sum == 0 && (parked.empty() || parked == "0");
  }
};

}  // namespace corbel::test
