#pragma once
/// Owns: the way of a consumer's messages to its event queue: takes all the time, gives each message as a notice, and takes
/// back what nobody has received yet. Callers: capi/queue.cpp. Thread: any.

#include "capi/handles.hpp"
#include "queue/consumer_core.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

struct corbel_message {
  corbel::detail::message_ptr state;
};

namespace corbel::capi {

/// A notice that holds one message until it is received. The event queue alone owns it: freed with the queue, it hands the
/// message back.
class message_notice final : public detail::event_queue::source {
 public:
  message_notice(std::unique_ptr<corbel_message> m, std::uint64_t user) : message_(m.release()), user_(user) {}
  ~message_notice() override { take_back(); }
  bool next(corbel_event &out) noexcept override {
    out.object = message_.exchange(nullptr);
    out.user = user_;
    out.kind = CORBEL_EVENT_MESSAGE;
    out.source = CORBEL_SOURCE_QUEUE;
    return out.object != nullptr;
  }
  void take_back() noexcept { corbel_message_free(message_.exchange(nullptr)); }

 private:
  std::atomic<corbel_message *> message_;
  const std::uint64_t user_;
};

class message_feed : public std::enable_shared_from_this<message_feed> {
 public:
  message_feed(const std::shared_ptr<detail::event_queue> &to, std::uint64_t user) : to_(to), user_(user) {}

  /// takers: how many takes are under way at once.
  void start(detail::consumer_core &core, std::uint32_t takers);
  /// Delivers nothing more and hands back what was not received.
  void stop();

 private:
  class taker;
  void take(detail::consumer_core &core);
  void deliver(detail::message_ptr m);

  const std::weak_ptr<detail::event_queue> to_;
  const std::uint64_t user_;
  std::mutex mutex_;
  bool stopped_ = false;
  std::vector<std::weak_ptr<message_notice>> notices_;  // some are received already
};

}  // namespace corbel::capi
