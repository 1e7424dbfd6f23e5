#pragma once
/// Owns: the look at the server that a queue is on: may it drop the queue's keys, does it keep anything over its own death?
/// Callers: queue_sampler, once. Thread: the pool's I/O thread.

#include <corbel/redis_pool.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corbel::detail {

/// Asks the server and tells each warning there is. What the user may not ask is left out: no warning without knowledge.
void check_queue_server(const redis_pool &pool, std::function<void(std::string warning)> warn);

/// What to warn of. memory, persistence: those sections of INFO; save: the value of CONFIG GET save; none: not known. Pure.
std::vector<std::string> queue_server_warnings(std::string_view memory, std::string_view persistence,
                                               const std::optional<std::string> &save);

}  // namespace corbel::detail
