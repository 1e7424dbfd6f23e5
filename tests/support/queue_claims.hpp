#pragma once
/// What a test asks of a native queue's claims on the server, beside the library: which one holds a message, and its lease.

#include "support/redis_server.hpp"

#include <cstdint>
#include <string>

namespace corbel::test {

/// Name of the claim whose message has that token; empty when there is none.
inline std::string claim_of(redis_server &server, std::uint64_t token, const std::string &queue = "work") {
  const auto all = server.command({"HGETALL", queue + ":holders"}).elements;
  for (std::size_t i = 0; i + 1 < all.size(); i += 2) {
    const auto &told = all[i + 1].text;
    const auto first = std::stoull(told), count = std::stoull(told.substr(told.find(' ')));
    if (token >= first && token < first + count) return all[i].text;
  }
  return {};
}

/// When the message's lease ends, in the server's ms; 0: it has none.
inline double lease_of(redis_server &server, std::uint64_t token, const std::string &queue = "work") {
  return std::stod("0" + server.command({"ZSCORE", queue + ":leases", claim_of(server, token, queue)}).text);
}

/// The lease of the message's claim has ended long ago.
inline void end_lease(redis_server &server, std::uint64_t token, const std::string &queue = "work") {
  server.command({"ZADD", queue + ":leases", "1", claim_of(server, token, queue)});
}

/// A claim as another process would have left it: of one message, without a lease.
inline void leave_claim(redis_server &server, const std::string &name, const std::string &element,
                        const std::string &queue = "work") {
  server.command({"RPUSH", queue + ":claim:" + name, element});
  server.command({"HSET", queue + ":holders", name, "1 1 1 1 0 "});
  server.command({"INCR", queue + ":inflight"});
}

inline long long in_flight(redis_server &server, const std::string &queue = "work") {
  return std::stoll("0" + server.command({"GET", queue + ":inflight"}).text);
}

}  // namespace corbel::test
