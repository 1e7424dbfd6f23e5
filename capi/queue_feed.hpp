#pragma once
/// Owns: the way of a consumer's messages to its event queue: takes all the time, gives what came as notices, takes back
/// what nobody has received yet, and tells of lost leases and of messages that are not worked. Callers:
/// capi/queue_consumer.cpp. Thread: any.

#include "capi/handles.hpp"
#include "queue/consumer_core.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

struct corbel_message {
  corbel::detail::message_ptr state;
};

struct corbel_unworked {
  std::int32_t why;  // CORBEL_UNWORKED_...
  std::string id, body, reason;
};

namespace corbel::capi {

struct free_message {
  void operator()(corbel_message *j) const noexcept { corbel_message_free(j); }
};
using held_message = std::unique_ptr<corbel_message, free_message>;

/// What was not received yet. The event queue alone owns it, while it lists it: freed with the queue, it hands the messages
/// back. All calls are under the event queue's lock.
class message_notices final : public detail::event_queue::source {
 public:
  explicit message_notices(std::uint64_t user) : user_(user) {}
  void add(held_message m) { messages_.push_back(std::move(m)); }
  /// The lease of that message was lost. Returns it when nobody has received it: then nobody is told.
  held_message lost(const detail::message_ptr &m);
  void add(std::unique_ptr<corbel_unworked> u);
  /// All but the oldest, so many.
  std::deque<held_message> take_back(std::size_t but = 0);
  bool next(corbel_event &out) noexcept override;

 private:
  const std::uint64_t user_;
  std::deque<held_message> messages_;
  std::deque<detail::message_ptr> lost_;
  std::deque<std::unique_ptr<corbel_unworked>> unworked_;
  bool dropped_ = false;
};

class message_feed : public std::enable_shared_from_this<message_feed> {
 public:
  message_feed(const std::shared_ptr<detail::event_queue> &to, std::uint64_t user) : to_(to), user_(user) {}

  /// Has a consumer that is opened with these options tell of the messages that are not worked.
  void listen(queue_options &options);
  /// Before the first take.
  void start(detail::consumer_core &core);
  /// So many takes are under way at once from now on, if there were fewer.
  void take(detail::consumer_core &core, std::uint32_t takers);
  /// Hands back what was not received, but the oldest, so many; the newest first, so that the order stays.
  void keep(std::size_t count);
  /// Delivers nothing more, and hands back what was not received.
  void take_back();
  /// The same, and tells of no loss any more.
  void stop();

 private:
  class taker;
  void take_one(detail::consumer_core &core);
  void deliver(detail::message_ptr m);
  void lost(const detail::message_ptr &m);
  void unworked(corbel_unworked u);
  std::shared_ptr<message_notices> notices();  // under the lock

  const std::weak_ptr<detail::event_queue> to_;
  const std::uint64_t user_;
  std::mutex mutex_;
  bool delivers_ = true, tells_ = true;
  std::uint32_t takers_ = 0;
  std::weak_ptr<message_notices> notices_;
};

}  // namespace corbel::capi
