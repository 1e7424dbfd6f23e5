#pragma once
/// Owns: which share of the fleet's capacity a lane may fill, and what a refused producer is told. Pure. Callers: the
/// protocols, producer_core. Thread: any.
///
/// Reasons and times to come again are the platform's: 60 s past the hard limit, 45 s for paid and registered, 30 s else.

#include "queue/protocol.hpp"

namespace corbel::detail {

enum class lane_limit : int { hard = 1, paid = 2, registered = 3, anonymous = 4 };

/// privileged: hard. A native queue's lane without a name: hard. Names that are no user type: anonymous.
lane_limit limit_of(std::string_view lane) noexcept;
/// floor(capacity * share).
std::uint64_t most_of(lane_limit limit, const queue_admission &a, std::uint64_t capacity) noexcept;
/// The arguments of a put script: most messages of the queue or 0, capacity of the fleet or "" for no admission, then for
/// each lane "<how many messages the queue may hold>:<which limit that is>".
void push_admission(redis_command &command, const std::optional<put_admission> &admission,
                    const std::vector<queue_lane> &lanes);
std::chrono::seconds retry_after(std::string_view reason) noexcept;
/// status::busy with the fields depth, capacity, processes, retry_after.
error refused_put(const put_outcome &outcome, const fleet_capacity &fleet);

}  // namespace corbel::detail
