#pragma once
/// Owns: the platform layout of a queue: its keys, and each step as a call of its script. What a step does stands at the top
/// of its script, the keys at the top of shared.lua. Callers: through queue_protocol. Thread: any.
///
/// A lease is the platform's task lock, so its consumers and ours leave each other's messages alone. What is started is
/// marked for the platform's reaper, which then drops it, where the queue interrupts; where it retries there is no such
/// mark, and that reaper puts the message back.

#include "queue/platform/keys.hpp"
#include "queue/protocol.hpp"

namespace corbel::detail {

class platform_protocol final : public queue_protocol {
 public:
  /// Throws failure with status::invalid when an option is wrong.
  platform_protocol(const queue_options &options, const std::string &instance);

  const std::vector<queue_lane> &lanes() const noexcept override { return lanes_; }
  const std::vector<std::string> &ready_lists() const noexcept override { return keys_.ready; }
  error check(const put_group &items) const override;
  std::string id_of(const put_item &item) const override;

  script_call put(const std::vector<put_group> &groups, const std::optional<put_admission> &admission,
                  std::optional<std::int64_t> now) const override;
  put_answer read_put(const redis_node &reply, const std::vector<put_group> &groups) const override;
  script_call claim(const claim_request &r) const override;
  claim_answer read_claim(const redis_node &reply, const redis_reply &elements, const claim_request &r) const override;
  script_call recall(std::string_view claim, bool unseen) const override;
  script_call settle(corbel::settle how, const std::vector<settle_entry> &entries, std::string_view by) const override;
  script_call renew(std::chrono::milliseconds lease, const std::vector<claimed_ptr> &held) const override;
  script_call reap(const reap_request &r) const override;
  reap_answer read_reap(const redis_node &reply) const override;
  script_call promote() const override;
  script_call stats() const override;
  queue_stats read_stats(const redis_node &reply) const override;
  script_call dead(std::optional<std::uint64_t> after, std::size_t count) const override;
  dead_page read_dead(const redis_node &reply) const override;
  script_call requeue(const std::vector<std::uint64_t> &numbers) const override;
  script_call purge(const std::vector<std::uint64_t> &numbers) const override;

 private:
  /// EVALSHA of the script with the queue's keys.
  redis_command begin(const redis_script &script) const;
  void push_item(redis_command &command, const put_item &item) const;
  /// Of the lane that the item names, or its task; lanes().size() when it is none.
  std::size_t lane_of(const put_item &item) const;
  std::int64_t mark(std::chrono::milliseconds lease) const noexcept;

  const queue_options options_;
  const platform_keys keys_;
  const std::string holder_;  // "<instance>:<pid>"
  std::vector<queue_lane> lanes_;
};

}  // namespace corbel::detail
