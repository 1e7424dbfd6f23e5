#include "operations/bundle_turn.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>

namespace asio = boost::asio;

namespace corbel {

/// What the runner has told of a turn and was not published yet.
struct bundle_turns::under_way {
  explicit under_way(const asio::any_io_executor &ex) : wake(ex) {}
  std::deque<std::string> events;
  std::optional<result<bundle_answer>> answer;
  asio::steady_timer wake;
  asio::cancellation_signal cancel;
};

bundle_turns::bundle_turns(bundle_runner &runner, registry_function registry, relay_publisher &events,
                           std::chrono::milliseconds patience)
    : runner_(runner), registry_(std::move(registry)), events_(events), patience_(patience) {}

asio::awaitable<error> bundle_turns::publish(relay_message m, const activity_function &activity) {
  const auto kind = m.event;
  const auto told = co_await events_.publish_surely(std::move(m), patience_);
  activity(kind);
  co_return told ? error() : told.error();
}

asio::awaitable<turn_end> bundle_turns::run(const chat_task &task, std::uint32_t attempt, activity_function activity) {
  const auto bundle = choose_bundle(*registry_(), task.bundle_id);
  if (!bundle) co_return co_await end_failed(task, task.bundle_id, bundle.error(), attempt, activity);
  auto end = co_await run(task, *bundle, attempt, std::move(activity));
  end.bundle = *bundle;
  co_return end;
}

asio::awaitable<turn_end> bundle_turns::run(const chat_task &task, const std::string &bundle, std::uint32_t attempt,
                                            activity_function activity) {
  const auto unpublished = [](const error &why) {
    return turn_end{turn_end::how::retry, "could not publish, the message is worked again: " + why.message(),
                    status_name(why.code())};
  };
  if (auto why = co_await publish(
          handler_event(task, R"({"type": "chat.start", "status": "started", "title": "Started"})", 0), activity))
    co_return unpublished(why);

  // The runner's functions may be called after this coroutine has ended.
  auto state = std::make_shared<under_way>(co_await asio::this_coro::executor);
  bundle_request request{.bundle = bundle, .kind = "turn", .task = handler_task(task, bundle, attempt)};
  runner_.async_run(
      std::move(request),
      [state](const std::string &event) {
        state->events.push_back(event);
        state->wake.cancel();
      },
      {.timeout = call::unlimited}, asio::bind_cancellation_slot(state->cancel.slot(), [state](result<bundle_answer> r) {
        state->answer = std::move(r);
        state->wake.cancel();
      }));
  for (std::size_t n = 1;; ++n) {
    while (state->events.empty() && !state->answer) {
      boost::system::error_code ignored;
      state->wake.expires_at(asio::steady_timer::time_point::max());
      co_await state->wake.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    if (state->events.empty()) break;
    auto event = handler_event(task, state->events.front(), n);
    state->events.pop_front();
    if (auto why = co_await publish(std::move(event), activity)) {
      state->cancel.emit(asio::cancellation_type::terminal);
      co_return unpublished(why);
    }
  }
  if (!*state->answer) co_return co_await end_failed(task, bundle, state->answer->error(), attempt, activity);
  if (auto why = co_await publish(handler_complete(task, **state->answer), activity)) co_return unpublished(why);
  co_return turn_end{};
}

asio::awaitable<turn_end> bundle_turns::end_failed(const chat_task &task, const std::string &bundle, const error &why,
                                                   std::uint32_t attempt, const activity_function &activity) {
  const auto name = why.native().empty() ? std::string(status_name(why.code())) : why.native();
  const bool may_retry = why.may_retry() || why.is(status::unavailable) || why.is(status::closed);
  if (may_retry && attempt < most_attempts)
    co_return turn_end{turn_end::how::retry, "the message is worked again: " + why.message(), name};
  if (auto unpublished = co_await publish(handler_error(task, bundle, why), activity))
    co_return turn_end{turn_end::how::retry, "could not publish: " + unpublished.message(), status_name(unpublished.code())};
  co_return turn_end{may_retry ? turn_end::how::bury : turn_end::how::done, "failed: " + why.message(), name, true};
}

}  // namespace corbel
