#include "queue/native/native_protocol.hpp"

#include "queue/admission.hpp"
#include "queue/limits.hpp"
#include "queue/native/settled_places.hpp"
#include "scripts/native_ack.hpp"
#include "scripts/native_bury.hpp"
#include "scripts/native_claim.hpp"
#include "scripts/native_dead.hpp"
#include "scripts/native_hand_back.hpp"
#include "scripts/native_promote.hpp"
#include "scripts/native_purge.hpp"
#include "scripts/native_put.hpp"
#include "scripts/native_reap.hpp"
#include "scripts/native_recall.hpp"
#include "scripts/native_renew.hpp"
#include "scripts/native_requeue.hpp"
#include "scripts/native_retry.hpp"
#include "scripts/native_stats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

namespace corbel::detail {

namespace {

/// A claim ends once its messages have so many bytes together, so that its reply keeps well below a pool's limit.
constexpr std::size_t claim_bytes = 8u << 20;
/// What one call looks at, so that it does not hold the server up.
constexpr std::size_t reap_messages = 64, promote_messages = 100, step_bytes = 8u << 20, change_messages = 500;

}  // namespace

/// One set for each number of keys: how many there are is part of a script's command.
struct native_protocol::scripts {
  explicit scripts(unsigned keys)
      : put(corbel::scripts::native_put, keys),
        claim(corbel::scripts::native_claim, keys),
        recall(corbel::scripts::native_recall, keys),
        ack(corbel::scripts::native_ack, keys),
        retry(corbel::scripts::native_retry, keys),
        bury(corbel::scripts::native_bury, keys),
        hand_back(corbel::scripts::native_hand_back, keys),
        renew(corbel::scripts::native_renew, keys),
        reap(corbel::scripts::native_reap, keys),
        promote(corbel::scripts::native_promote, keys),
        stats(corbel::scripts::native_stats, keys),
        dead(corbel::scripts::native_dead, keys),
        requeue(corbel::scripts::native_requeue, keys),
        purge(corbel::scripts::native_purge, keys) {}
  redis_script put, claim, recall, ack, retry, bury, hand_back, renew, reap, promote, stats, dead, requeue, purge;
};

std::shared_ptr<const queue_protocol> make_native_protocol(const queue_options &options) {
  return std::make_shared<const native_protocol>(options);
}

native_protocol::native_protocol(const queue_options &options) : options_(options), lanes_(options.lanes) {
  check_queue(options);
  const auto &name = options.name;
  if (lanes_.empty()) {
    lanes_.push_back({});
    ready_.push_back(name);
  } else {
    for (const auto &lane : lanes_) ready_.push_back(name + ":" + lane.name);
  }
  keys_.push_back(name);
  keys_.insert(keys_.end(), ready_.begin(), ready_.end());
  const auto &s = all();
  for (const auto *script : {&s.put, &s.claim, &s.recall, &s.ack, &s.retry, &s.bury, &s.hand_back, &s.renew, &s.reap,
                             &s.promote, &s.stats, &s.dead, &s.requeue, &s.purge}) {
    auto command = script->command();
    command.push_all(keys_);
    begun_.emplace(script, std::move(command));
  }
}

/// Never destroyed: I/O threads may still run them while the process exits.
const native_protocol::scripts &native_protocol::all() const {
  static auto &mutex = *new std::mutex;
  static auto &sets = *new std::map<std::size_t, scripts>;
  std::lock_guard lock(mutex);
  return sets.try_emplace(keys_.size(), static_cast<unsigned>(keys_.size())).first->second;
}

redis_command native_protocol::begin(const redis_script &script) const { return begun_.at(&script); }

std::size_t native_protocol::lane_of(const put_item &item) const noexcept {
  if (item.lane.empty()) return 0;
  return static_cast<std::size_t>(
      std::find_if(lanes_.begin(), lanes_.end(), [&](const queue_lane &l) { return l.name == item.lane; }) - lanes_.begin());
}

error native_protocol::check(const put_group &items) const {
  if (auto why = check_items(items, options_)) return why;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (lane_of(items[i]) == lanes_.size())
      return error(status::invalid, fmt::format("the lane '{}' of item {} is none of the queue's", items[i].lane, i),
                   "queue");
  }
  return {};
}

script_call native_protocol::put(const std::vector<put_group> &groups, const std::optional<put_admission> &admission,
                                 std::optional<std::int64_t> now) const {
  auto command = begin(all().put);
  command.push(options_.idempotency_window.count());
  push_admission(command, admission, lanes_);
  push_items(command, groups, now);
  return {all().put, std::move(command)};
}

script_call native_protocol::claim(const claim_request &r) const {
  auto command = begin(all().claim);
  command.push(r.most).push(r.lease.count()).push(r.claim).push(claim_bytes);
  for (const auto &[lane, quota] : r.turns) command.push(lane + 1).push(quota);
  return {all().claim, std::move(command)};
}

std::optional<redis_command> native_protocol::read_elements(const claim_request &r) const {
  return redis_command("LRANGE", fmt::format("{}:claim:{}", options_.name, r.claim), 0, -1);
}

script_call native_protocol::recall(std::string_view claim, bool unseen) const {
  auto command = begin(all().recall);
  command.push(claim).push(unseen ? 1 : 0);
  return {all().recall, std::move(command)};
}

script_call native_protocol::settle(corbel::settle how, const std::vector<settle_entry> &entries,
                                    std::string_view by) const {
  const auto &s = all();
  if (how == settle::done) {
    auto command = begin(s.ack);
    for (const auto &claim : places_by_claim(entries)) command.push(claim.name).push(claim.text());
    return {s.ack, std::move(command)};
  }
  const auto &script = how == settle::retry ? s.retry : how == settle::bury ? s.bury : s.hand_back;
  auto command = begin(script);
  if (how == settle::retry) command.push(options_.max_attempts == unbounded ? 0 : options_.max_attempts);
  if (how == settle::retry || how == settle::bury) command.push(by);
  for (const auto &e : entries) {
    command.push(e.message->source->name).push(e.message->place);
    if (how == settle::retry || how == settle::bury) command.push(e.reason);
    if (how == settle::retry) command.push(e.due);
  }
  return {script, std::move(command)};
}

script_call native_protocol::renew(std::chrono::milliseconds lease, const std::vector<claimed_ptr> &held) const {
  auto command = begin(all().renew);
  command.push(lease.count());
  std::set<std::string_view> claims;
  for (const auto &m : held) claims.insert(m->source->name);
  for (const auto claim : claims) command.push(claim);
  return {all().renew, std::move(command)};
}

script_call native_protocol::reap(const reap_request &r) const {
  auto command = begin(all().reap);
  // Twice the time from one pass to the next, see reaper.
  command.push(r.name).push(2 * std::max<std::int64_t>(r.lease.count() / 3, 1000) + 1000);
  command.push(r.max_attempts == unbounded ? 0 : r.max_attempts).push(r.crashed == after_crash::interrupt ? 1 : 0);
  command.push(reap_messages).push(step_bytes).push(r.lease.count()).push(r.cursor);
  return {all().reap, std::move(command)};
}

script_call native_protocol::promote() const {
  auto command = begin(all().promote);
  command.push(promote_messages).push(step_bytes);
  return {all().promote, std::move(command)};
}

script_call native_protocol::stats() const { return {all().stats, begin(all().stats)}; }

script_call native_protocol::dead(std::optional<std::uint64_t> after, std::size_t count) const {
  auto command = begin(all().dead);
  command.push(after ? std::to_string(*after) : std::string()).push(count).push(step_bytes);
  return {all().dead, std::move(command)};
}

script_call native_protocol::requeue(const std::vector<std::uint64_t> &numbers) const {
  auto command = begin(all().requeue);
  command.push(change_messages);
  for (auto n : numbers) command.push(n);
  return {all().requeue, std::move(command)};
}

script_call native_protocol::purge(const std::vector<std::uint64_t> &numbers) const {
  auto command = begin(all().purge);
  command.push(change_messages);
  for (auto n : numbers) command.push(n);
  return {all().purge, std::move(command)};
}

}  // namespace corbel::detail
