#pragma once
/// Works chat tasks by the handlers of bundles: gives a task to its bundle, publishes what the handler tells on the way, and
/// says how the turn ended. Callers: proc. Thread: one io_context, which runs the runner's runtime too.
///
/// A handler gets {"task_id", "event_id", "attempt", "bundle_id", "tenant", "project", "session_id", "conversation_id",
/// "turn_id", "user": {"type", "id"}, "text", "events"}. Its events may name "type" (chat.step), "agent", "step", "status",
/// "title" and "data"; all is published in order, with ids that are the same when the task is worked again. Its result is
/// the data of chat.complete: an object, or what becomes its "final_answer".

#include "operations/chat_task.hpp"
#include "relay/publisher.hpp"

#include <corbel/bundle_registry.hpp>
#include <corbel/bundle_runner.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace corbel {

struct turn_end {
  enum class how { done, retry, bury };
  how what = how::done;
  std::string text = "done", error_class = {};
  bool failed = false;      ///< the session was told of an error
  std::string bundle = {};  ///< that was chosen; empty: none was
};

/// The bundle that a task means: its own, or the registry's default where it names none or "default". Errors: invalid,
/// native "UNKNOWN", with what there is; unavailable while nothing is listed. Pure.
result<std::string> choose_bundle(const bundle_registry &registry, const std::string &wanted);

/// What a handler is given. Pure.
std::string handler_task(const chat_task &task, const std::string &bundle, std::uint32_t attempt);
/// What is published of a handler's event, the n-th. Pure but for the clock. Not an object: its data.
relay_message handler_event(const chat_task &task, const std::string &event, std::size_t n);
relay_message handler_complete(const chat_task &task, const bundle_answer &answer);
relay_message handler_error(const chat_task &task, const std::string &bundle, const error &why);

class bundle_turns {
 public:
  using registry_function = std::function<std::shared_ptr<const bundle_registry>()>;
  using activity_function = std::function<void(const std::string &kind)>;
  /// A task whose handler keeps failing is buried after so many attempts, and its session told.
  static constexpr std::uint32_t most_attempts = 5;

  /// patience: with a Redis that is away. All must outlive the turns.
  bundle_turns(bundle_runner &runner, registry_function registry, relay_publisher &events,
               std::chrono::milliseconds patience);

  boost::asio::awaitable<turn_end> run(const chat_task &task, std::uint32_t attempt, activity_function activity);

 private:
  struct under_way;
  boost::asio::awaitable<turn_end> run(const chat_task &task, const std::string &bundle, std::uint32_t attempt,
                                       activity_function activity);
  boost::asio::awaitable<error> publish(relay_message m, const activity_function &activity);
  boost::asio::awaitable<turn_end> end_failed(const chat_task &task, const std::string &bundle, const error &why,
                                              std::uint32_t attempt, const activity_function &activity);

  bundle_runner &runner_;
  registry_function registry_;
  relay_publisher &events_;
  const std::chrono::milliseconds patience_;
};

}  // namespace corbel
