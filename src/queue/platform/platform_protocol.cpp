#include "queue/platform/platform_protocol.hpp"

#include "queue/admission.hpp"
#include "queue/limits.hpp"
#include "queue/platform/payload.hpp"
#include "queue/platform/scripts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

namespace corbel::detail {

namespace {

/// A claim ends once its messages have so many bytes together, so that its reply keeps well below a pool's limit.
constexpr std::size_t claim_bytes = 8u << 20;
/// What one call looks at, so that it does not hold the server up; a reaper reads the JSON of what it looks at.
constexpr std::size_t reap_messages = 32, reap_bytes = 128u << 10, promote_messages = 100, promote_locks = 200,
                      step_bytes = 8u << 20, change_messages = 500;
/// How long the platform marks a task as started at least, and how long one of its own workers may need from its move to its
/// lock, in ms.
constexpr std::int64_t started_for = 2760000, lock_within = 3000;

std::int64_t milliseconds_of(std::chrono::system_clock::time_point t) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count();
}

error wrong(std::string text) { return error(status::invalid, std::move(text), "queue"); }

error check_scope(const char *what, const std::string &name) {
  if (!name.empty() && name.size() <= 256) return {};
  return wrong(fmt::format("{} has {} bytes: a platform queue needs 1 to 256", what, name.size()));
}

}  // namespace

std::shared_ptr<const queue_protocol> make_platform_protocol(const queue_options &options, const std::string &instance) {
  check_queue(options);
  for (const auto &why : {check_scope("tenant", options.tenant), check_scope("project", options.project)})
    if (why) throw failure(why);
  return std::make_shared<const platform_protocol>(options, instance);
}

platform_protocol::platform_protocol(const queue_options &options, const std::string &instance)
    : options_(options),
      keys_(options.tenant, options.project),
      holder_(fmt::format("{}:{}", options.instance.empty() ? instance : options.instance, ::getpid())) {
  for (const auto type : platform_lanes) lanes_.push_back({.name = std::string(type), .weight = 1});
  for (const auto &wanted : options.lanes) {
    auto lane = std::find_if(lanes_.begin(), lanes_.end(), [&](const queue_lane &l) { return l.name == wanted.name; });
    if (lane == lanes_.end())
      throw failure(wrong(fmt::format("'{}' is no user type: the lanes of a platform queue are {}", wanted.name,
                                      fmt::join(platform_lanes, ", "))));
    lane->weight = wanted.weight;
  }
}

redis_command platform_protocol::begin(const redis_script &script) const {
  auto command = script.command();
  command.push_all(keys_.all);
  return command;
}

std::int64_t platform_protocol::mark(std::chrono::milliseconds lease) const noexcept {
  return options_.crashed == after_crash::interrupt ? std::max(started_for, 2 * lease.count()) : 0;
}

std::size_t platform_protocol::lane_of(const put_item &item) const {
  std::string type = item.lane;
  if (type.empty())
    if (auto task = read_platform_task(item.body)) type = task->user_type;
  return static_cast<std::size_t>(
      std::find_if(lanes_.begin(), lanes_.end(), [&](const queue_lane &l) { return l.name == type; }) - lanes_.begin());
}

std::string platform_protocol::id_of(const put_item &item) const {
  auto task = read_platform_task(item.body);
  return task ? std::move(task->id) : std::string();
}

error platform_protocol::check(const put_group &items) const {
  if (auto why = check_items(items, options_)) return why;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto &item = items[i];
    const auto task = read_platform_task(item.body);
    if (!task) return wrong(fmt::format("the body of item {} is no task: {}", i, task.error().message()));
    if (!item.id.empty() && item.id != task->id)
      return wrong(fmt::format("the id of item {} is '{}', that of its task '{}': leave it out", i, item.id, task->id));
    if (!item.group.empty() && item.group != task->conversation)
      return wrong(fmt::format(
          "item {} has the group '{}': on a platform queue that is the task's conversation, leave it out", i, item.group));
    if (lane_of(item) == lanes_.size())
      return wrong(fmt::format("the user type '{}' of item {} is none of {}",
                               item.lane.empty() ? task->user_type : item.lane, i, fmt::join(platform_lanes, ", ")));
    if (!item.events.events.empty() && item.events.conversation.empty())
      return wrong(fmt::format("the events of item {} name no conversation", i));
  }
  return {};
}

script_call platform_protocol::put(const std::vector<put_group> &groups, const std::optional<put_admission> &admission,
                                   std::optional<std::int64_t>) const {
  auto command = begin(scripts_of_platform().put);
  command.push(options_.idempotency_window.count());
  push_admission(command, admission, lanes_);
  std::size_t bytes = 0, count = 0;
  for (const auto &items : groups) {
    count += 6 * items.size() + 1;
    for (const auto &item : items) bytes += item.id.size() + item.body.size();
  }
  command.reserve(bytes, count);
  for (const auto &items : groups) {
    command.push(items.size());
    for (const auto &item : items) push_item(command, item);
  }
  return {scripts_of_platform().put, std::move(command)};
}

void platform_protocol::push_item(redis_command &command, const put_item &item) const {
  command.push(item.id).push(lane_of(item) + 1).push(item.idempotency_key);
  if (item.delay > item.delay.zero())
    command.push(fmt::format("+{}", item.delay.count()));
  else if (item.not_before != std::chrono::system_clock::time_point())
    command.push(std::to_string(milliseconds_of(item.not_before)));
  else
    command.push("");
  command.push(item.body).push(item.events.events.size());
  if (item.events.events.empty()) return;
  command.push(
      fmt::format("{}:{}", keys_.events, event_lane_id(item.events.conversation, item.events.user, item.events.agent)));
  for (const auto &e : item.events.events) command.push(e.id).push(e.record);
}

script_call platform_protocol::claim(const claim_request &r) const {
  auto command = begin(scripts_of_platform().claim);
  command.push(r.most).push(r.lease.count()).push(r.claim).push(claim_bytes).push(options_.max_in_flight).push(holder_);
  command.push(mark(r.lease));
  for (const auto &[lane, quota] : r.turns) command.push(lane + 1).push(quota);
  return {scripts_of_platform().claim, std::move(command)};
}

script_call platform_protocol::recall(std::string_view claim, bool) const {
  auto command = begin(scripts_of_platform().recall);
  command.push(claim);
  return {scripts_of_platform().recall, std::move(command)};
}

script_call platform_protocol::settle(corbel::settle how, const std::vector<settle_entry> &entries,
                                      std::string_view by) const {
  const auto &s = scripts_of_platform();
  const auto &script = how == settle::done    ? s.ack
                       : how == settle::retry ? s.retry
                       : how == settle::bury  ? s.bury
                                              : s.hand_back;
  auto command = begin(script);
  if (how == settle::retry) command.push(options_.max_attempts == unbounded ? 0 : options_.max_attempts);
  if (how == settle::retry || how == settle::bury) command.push(by);
  for (const auto &e : entries) {
    command.push(e.message->token).push(e.message->element);
    if (how == settle::retry || how == settle::bury) command.push(e.reason);
    if (how == settle::retry) command.push(e.due);
  }
  return {script, std::move(command)};
}

script_call platform_protocol::renew(std::chrono::milliseconds lease, const std::vector<claimed_ptr> &held) const {
  auto command = begin(scripts_of_platform().renew);
  command.push(lease.count()).push(mark(lease));
  for (const auto &m : held) command.push(m->token);
  return {scripts_of_platform().renew, std::move(command)};
}

script_call platform_protocol::reap(const reap_request &r) const {
  auto command = begin(scripts_of_platform().reap);
  // Twice the time from one pass to the next, see reaper.
  command.push(r.name).push(2 * std::max<std::int64_t>(r.lease.count() / 3, 1000) + 1000);
  command.push(r.max_attempts == unbounded ? 0 : r.max_attempts).push(r.crashed == after_crash::interrupt ? 1 : 0);
  command.push(reap_messages).push(reap_bytes).push(lock_within).push(r.cursor);
  return {scripts_of_platform().reap, std::move(command)};
}

script_call platform_protocol::promote() const {
  auto command = begin(scripts_of_platform().promote);
  command.push(promote_messages).push(step_bytes).push(promote_locks);
  return {scripts_of_platform().promote, std::move(command)};
}

script_call platform_protocol::stats() const { return {scripts_of_platform().stats, begin(scripts_of_platform().stats)}; }

script_call platform_protocol::dead(std::optional<std::uint64_t> after, std::size_t count) const {
  auto command = begin(scripts_of_platform().dead);
  command.push(after ? std::to_string(*after) : std::string()).push(count).push(step_bytes);
  return {scripts_of_platform().dead, std::move(command)};
}

script_call platform_protocol::requeue(const std::vector<std::uint64_t> &numbers) const {
  auto command = begin(scripts_of_platform().requeue);
  command.push(change_messages).push_all(numbers);
  return {scripts_of_platform().requeue, std::move(command)};
}

script_call platform_protocol::purge(const std::vector<std::uint64_t> &numbers) const {
  auto command = begin(scripts_of_platform().purge);
  command.push(change_messages).push_all(numbers);
  return {scripts_of_platform().purge, std::move(command)};
}

}  // namespace corbel::detail
