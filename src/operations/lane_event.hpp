#pragma once
/// A client's message as the platform's ingress puts it: an event of its conversation's lane, and the wake-up for it on the
/// queue. Pure; any thread.
///
/// All events of a submission are one event of the lane: its record holds the whole task, so that whoever resolves the
/// wake-up has them together. Its time is this host's, not the client's: workers leave out what is older than what was
/// worked.

#include "operations/chat_task.hpp"
#include "operations/conversation_state.hpp"

#include <corbel/queue.hpp>

#include <cstdint>
#include <string>

namespace corbel {

/// The key whose INCR gives the next number of the lane that the task belongs to.
std::string lane_sequence_key(const chat_task &task);

/// sequence: the number of the event in its lane. claim: how the conversation was found.
put_item lane_item(const chat_task &task, const conversation_claim &claim, std::int64_t sequence);

}  // namespace corbel
