#include "queue/server_check.hpp"

#include <fmt/format.h>

#include <memory>

namespace corbel::detail {

namespace {

/// The value of one line of INFO; empty when there is none.
std::string_view field(std::string_view info, std::string_view name) {
  while (!info.empty()) {
    auto line = info.substr(0, info.find('\n'));
    info.remove_prefix(std::min(info.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':') return line.substr(name.size() + 1);
  }
  return {};
}

struct answers {
  std::string memory, persistence;
  std::optional<std::string> save;
  int missing = 3;
};

}  // namespace

std::vector<std::string> queue_server_warnings(std::string_view memory, std::string_view persistence,
                                               const std::optional<std::string> &save) {
  std::vector<std::string> all;
  const auto policy = field(memory, "maxmemory_policy");
  const auto most = field(memory, "maxmemory");
  const auto when = most.empty() || most == "0" ? std::string("once a maxmemory is set")
                                                : fmt::format("above its maxmemory, {} bytes,", most);
  if (policy.starts_with("allkeys"))
    all.push_back(
        fmt::format("the server's maxmemory-policy is {}: {} it drops keys of this queue, and messages with them; "
                    "set noeviction",
                    policy, when));
  else if (policy.starts_with("volatile"))
    all.push_back(
        fmt::format("the server's maxmemory-policy is {}: {} it drops keys that have a time to live, such as "
                    "leases of platform queues and idempotency keys; set noeviction",
                    policy, when));
  if (field(persistence, "aof_enabled") == "0" && save && save->find_first_not_of(' ') == std::string::npos)
    all.emplace_back(
        "the server keeps nothing on disk (appendonly no, no save points): when it ends, all messages are lost; "
        "set appendonly yes");
  return all;
}

void check_queue_server(const redis_pool &pool, std::function<void(std::string warning)> warn) {
  auto told = std::make_shared<answers>();
  auto next = [told, warn = std::move(warn)] {
    if (--told->missing > 0) return;
    for (auto &text : queue_server_warnings(told->memory, told->persistence, told->save)) warn(std::move(text));
  };
  const call c{.idempotent = true};
  pool.async_send(redis_command("INFO", "memory"), c, [told, next](const result<redis_reply> &r) {
    if (r) told->memory = r->root().text();
    next();
  });
  pool.async_send(redis_command("INFO", "persistence"), c, [told, next](const result<redis_reply> &r) {
    if (r) told->persistence = r->root().text();
    next();
  });
  pool.async_send(redis_command("CONFIG", "GET", "save"), c, [told, next](const result<redis_reply> &r) {
    if (r && r->root().size() == 2) told->save = r->root()[1].text();
    next();
  });
}

}  // namespace corbel::detail
