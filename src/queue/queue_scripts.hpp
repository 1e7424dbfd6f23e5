#pragma once
/// Owns: the calls of the queue's Lua scripts, and the reading of their replies. What each script does, and what holds
/// before and after it, stands at its top: src/queue/*.lua. Callers: the rest of src/queue. Thread: any.

#include "queue/queue_keys.hpp"

#include <corbel/redis_script.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corbel::detail {

/// A script and the command that runs it, for async_run. The scripts live as long as the process.
struct script_call {
  const redis_script &script;
  redis_command command;
};

struct claimed_message {
  std::string id, element;
  std::uint32_t attempt = 0;
  std::uint64_t token = 0;
  std::string holder;
};
using claimed_list = std::vector<std::shared_ptr<const claimed_message>>;
struct claim_answer {
  std::uint64_t left = 0;  ///< in the ready list
  std::vector<claimed_message> messages;
};
struct reap_answer {
  std::int64_t back = 0, leased = 0, cursor = 0;
};

script_call put_call(const queue_keys &k, const std::vector<put_item> &items);
/// claim: a name that no other claim of the queue has.
script_call claim_call(const queue_keys &k, std::uint32_t most, std::chrono::milliseconds lease, std::string_view claim);
/// done: exactly one message. Else the last one given is the next to be claimed.
script_call settle_call(const queue_keys &k, settle how, const claimed_list &messages);
/// held: id and holder of each message.
script_call renew_call(const queue_keys &k, std::chrono::milliseconds lease,
                       const std::vector<std::pair<std::string, std::string>> &held);
script_call reap_call(const queue_keys &k, std::chrono::milliseconds lease, std::int64_t cursor);
script_call recall_call(const queue_keys &k, std::string_view claim);

claim_answer read_claim(const redis_reply &reply, std::string_view claim);
/// The answer of ack.lua, or of give_back.lua for the first message.
std::int64_t read_settle(const redis_reply &reply);
reap_answer read_reap(const redis_reply &reply);

}  // namespace corbel::detail
