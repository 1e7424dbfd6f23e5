#pragma once
/// What a proc without bundles publishes about a task: that it has started, how far it is, what it has counted.

#include "operations/chat_task.hpp"
#include "relay/message.hpp"
#include "word_count.hpp"

#include <vector>

/// In order.
std::vector<corbel::relay_message> word_count_events(const corbel::chat_task &task, const word_count &counted);
