#pragma once
/// Owns: the native layout of a queue: its keys, and each step as a call of its script. What a step does stands at the top
/// of its script, the keys at the top of start.lua and shared.lua. Callers: through queue_protocol. Thread: any.

#include "queue/protocol.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

namespace corbel::detail {

class native_protocol final : public queue_protocol {
 public:
  /// Throws failure with status::invalid when an option is wrong.
  explicit native_protocol(const queue_options &options);

  const std::vector<queue_lane> &lanes() const noexcept override { return lanes_; }
  const std::vector<std::string> &ready_lists() const noexcept override { return ready_; }
  error check(const put_group &items) const override;

  script_call put(const std::vector<put_group> &groups, const std::optional<put_admission> &admission,
                  std::optional<std::int64_t> now) const override;
  std::optional<redis_command> plain_put(const std::vector<put_group> &groups, std::int64_t now) const override;
  put_answer read_put(const redis_node &reply, const std::vector<put_group> &groups) const override;
  script_call claim(const claim_request &r) const override;
  std::optional<redis_command> read_elements(const claim_request &r) const override;
  claim_answer read_claim(const redis_node &reply, const redis_reply &elements, const claim_request &r) const override;
  script_call recall(std::string_view claim, bool unseen) const override;
  script_call settle(corbel::settle how, const std::vector<settle_entry> &entries, std::string_view by) const override;
  std::vector<int> read_settle(const redis_node &reply, corbel::settle how,
                               const std::vector<settle_entry> &entries) const override;
  script_call renew(std::chrono::milliseconds lease, const std::vector<claimed_ptr> &held) const override;
  std::vector<std::uint64_t> read_renew(const redis_node &reply, const std::vector<claimed_ptr> &held) const override;
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
  struct scripts;
  const scripts &all() const;
  /// EVALSHA of the script with the queue's keys: a copy, for they are many and always the same.
  redis_command begin(const redis_script &script) const;
  void push_items(redis_command &command, const std::vector<put_group> &groups, std::optional<std::int64_t> now) const;
  std::size_t lane_of(const put_item &item) const noexcept;

  const queue_options options_;
  std::vector<queue_lane> lanes_;
  std::vector<std::string> ready_, keys_;  // keys_: all that a script is given, ready_ at its end
  boost::unordered_flat_map<const redis_script *, redis_command> begun_;
};

}  // namespace corbel::detail
