#pragma once
/// A fleet's heartbeats on a server of their own: ours, and what the platform writes and reads.

#include "json/document.hpp"
#include "support/redis_server.hpp"
#include "support/until.hpp"

#include <corbel/queue_heartbeat.hpp>

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <unistd.h>
#include <utility>

namespace corbel::test {

using namespace std::chrono_literals;
namespace asio = boost::asio;

inline constexpr auto patience = 30s;
inline const std::string index_key = "t:p:kdcube:system:capacity:process-index:chat:proc";

inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

struct fleet_fixture {
  redis_server server{{.arguments = {"--save", ""}}};
  runtime rt;
  redis_pool pool{rt, {.url = server.url()}};

  static std::string process_key(const std::string &instance) {
    return "t:p:kdcube:heartbeat:process:" + instance + ":chat:proc:" + std::to_string(::getpid());
  }
  heartbeat_options beat(const std::string &instance, std::uint32_t load = 0) {
    return {.tenant = "t", .project = "p", .instance = instance, .capacity = 5, .load = [load] { return load; }};
  }
  bool is_told(const std::string &instance) {
    return until(patience, [&] { return server.command({"EXISTS", process_key(instance)}).number == 1; });
  }
  result<void> drain(queue_heartbeat &h) {
    auto f = h.async_drain({.timeout = 5s}, asio::use_future);
    REQUIRE(f.wait_for(patience) == std::future_status::ready);
    return f.get();
  }

  /// What the platform's admission does before its script, step by step: processes and capacity.
  std::pair<int, int> platform_reads(double timeout = 45, double buffer = 0.2, double multiplier = 2.0) {
    const double now = seconds_now();
    server.command({"ZREMRANGEBYSCORE", index_key, "-inf", std::to_string(now - timeout)});
    int healthy = 0, capacity = 0;
    for (auto &member : server.command({"ZRANGE", index_key, "0", "-1"}).elements) {
      auto raw = server.command({"GET", member.text});
      if (raw.nil) {
        server.command({"ZREM", index_key, member.text});
        continue;
      }
      auto parsed = json_document::parse(raw.text);
      REQUIRE(parsed);
      auto top = *parsed->root().object();
      if (*top.text("service_type") != "chat" || *top.text("service_name") != "proc") continue;
      if (now - *top.number("last_heartbeat") > timeout) {
        server.command({"ZREM", index_key, member.text});
        continue;
      }
      std::string health(*top.text("health_status"));
      for (auto &c : health) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      if (health.find("HEALTHY") == std::string::npos) continue;
      const double most = static_cast<double>(*top.integer("max_capacity"));
      ++healthy;
      capacity += static_cast<int>(most * (1 - buffer)) + static_cast<int>(most * multiplier);
    }
    return {healthy, capacity};
  }

  /// A heartbeat as a process of the platform writes it.
  void platform_writes(const std::string &instance, int load, int most, const std::string &health) {
    const auto key = "t:p:kdcube:heartbeat:process:" + instance + ":chat:proc:1";
    const auto last = std::to_string(seconds_now());
    server.command(
        {"SETEX", key, "30",
         R"({"instance_id": ")" + instance +
             R"(", "service_type": "chat", "service_name": "proc", "process_id": 1, "port": null, "current_load": )" +
             std::to_string(load) + R"(, "max_capacity": )" + std::to_string(most) + R"(, "last_heartbeat": )" + last +
             R"(, "health_status": ")" + health + R"(", "metadata": {}})"});
    server.command({"ZADD", index_key, last, key});
  }
};

}  // namespace corbel::test
