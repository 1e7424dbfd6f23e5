#include "queue/server_check.hpp"

#include <doctest/doctest.h>

using corbel::detail::queue_server_warnings;

namespace {
constexpr char kept[] = "# Persistence\r\nloading:0\r\naof_enabled:1\r\n", not_kept[] = "# Persistence\r\naof_enabled:0\r\n";

std::string memory(const std::string &policy, const std::string &most = "0") {
  return "# Memory\r\nmaxmemory_human:1.00G\r\nmaxmemory:" + most + "\r\nmaxmemory_policy:" + policy + "\r\n";
}
}  // namespace

TEST_CASE("a server that drops nothing and keeps everything is no cause for a warning") {
  CHECK(queue_server_warnings(memory("noeviction"), kept, "").empty());
  CHECK(queue_server_warnings(memory("noeviction"), not_kept, "3600 1 300 100").empty());
}

TEST_CASE("what may be evicted is told, with the policy and its limit") {
  auto all = queue_server_warnings(memory("allkeys-lru", "1073741824"), kept, "");
  REQUIRE(all.size() == 1);
  CHECK(all[0].find("allkeys-lru") != std::string::npos);
  CHECK(all[0].find("1073741824 bytes") != std::string::npos);
  CHECK(all[0].find("noeviction") != std::string::npos);
  auto unset = queue_server_warnings(memory("allkeys-random"), kept, "");
  REQUIRE(unset.size() == 1);
  CHECK(unset[0].find("once a maxmemory is set") != std::string::npos);
  auto some = queue_server_warnings(memory("volatile-ttl"), kept, "");
  REQUIRE(some.size() == 1);
  CHECK(some[0].find("time to live") != std::string::npos);
}

TEST_CASE("nothing persisted is told; what is not known is not") {
  auto all = queue_server_warnings(memory("noeviction"), not_kept, "");
  REQUIRE(all.size() == 1);
  CHECK(all[0].find("nothing on disk") != std::string::npos);
  CHECK(queue_server_warnings(memory("noeviction"), not_kept, {}).empty());
  CHECK(queue_server_warnings("", "", "").empty());
  CHECK(queue_server_warnings(memory("allkeys-lfu"), not_kept, " ").size() == 2);
}
