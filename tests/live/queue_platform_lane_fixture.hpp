#pragma once
/// A conversation's lane of events on the platform's queue, and what a test asks of it.

#include "json/document.hpp"
#include "queue_platform_fixture.hpp"

#include <fmt/chrono.h>

namespace corbel::test {

struct lane_fixture : platform_fixture {
  platform_lane lane{server, "c"};
  const std::string group = "react-external-promoter.v1";

  static std::string ago(std::chrono::seconds how_long) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(std::chrono::system_clock::now() - how_long));
  }
  std::string at(const std::string &json, const std::vector<std::string> &path) {
    auto document = json_document::parse(json);
    REQUIRE_MESSAGE(document, json);
    auto value = document->root();
    for (auto &name : path) {
      auto next = value.object()->find(name);
      if (!next) return {};
      value = *next;
    }
    if (value.kind() == json_kind::text) return std::string(*value.text());
    return value.kind() == json_kind::integer ? std::to_string(*value.integer()) : json_kind_name(value.kind());
  }
  /// The wake-up is told as ignored for this reason, and acknowledged without a trace in its lane.
  void check_ignored(const std::string &reason) {
    auto m = claim_one();
    CHECK(m->ignored == reason);
    const auto record = get(lane.key() + ":event:e1"), state = get(lane.key() + ":state");
    CHECK(settle(corbel::settle::done, m) == 1);
    CHECK(get(lane.key() + ":event:e1") == record);
    CHECK(get(lane.key() + ":state") == state);
    CHECK(stats().ready + stats().in_flight == 0);
  }
  void change(const std::string &event, const std::string &from, const std::string &to) {
    auto record = get(lane.key() + ":event:" + event);
    const auto at = record.find(from);
    REQUIRE(at != record.npos);
    server.command({"SET", lane.key() + ":event:" + event, record.replace(at, from.size(), to)});
  }
};

}  // namespace corbel::test
