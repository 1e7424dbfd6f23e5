#include "operations/put_refusal.hpp"

#include "json/writer.hpp"
#include "operations/chat_event.hpp"
#include "queue/admission.hpp"

#include <charconv>

namespace corbel {

namespace {

constexpr char type[] = "queue.enqueue_rejected";

std::int64_t number(const error &e, std::string_view name) {
  std::int64_t n = 0;
  if (auto *text = e.field(name)) std::from_chars(text->data(), text->data() + text->size(), n);
  return n;
}

}  // namespace

std::optional<put_refusal> put_refusal::of(const error &why, const chat_task &task, const queue_admission &admission) {
  if (!why.is(status::busy) || why.source() != "queue" || !why.field("retry_after")) return {};
  put_refusal r{.reason = why.native(), .retry_after = number(why, "retry_after"), .stats = {}};
  const auto capacity = number(why, "capacity");
  auto most = [&](detail::lane_limit l) { return detail::most_of(l, admission, static_cast<std::uint64_t>(capacity)); };
  json_writer w(r.stats);
  w.begin_object().member("current_queue_size", number(why, "depth")).member("actual_capacity", capacity);
  w.member("healthy_processes", number(why, "processes")).key("theoretical_thresholds").begin_object();
  w.member("anonymous_threshold", most(detail::lane_limit::anonymous));
  w.member("registered_threshold", most(detail::lane_limit::registered));
  w.member("paid_threshold", most(detail::lane_limit::paid)).member("hard_limit", most(detail::lane_limit::hard));
  w.member("total_capacity", capacity).end_object();
  w.member("user_type", task.user_type).member("task_id", task.task_id).member("check_type", "chat_enqueue_by_fact");
  w.end_object();
  return r;
}

http_response put_refusal::response() const {
  http_response r{.status = 503};
  json_writer w(r.body);
  w.begin_object().key("detail").begin_object().member("error", message()).member("error_type", type);
  w.member("reason", reason).member("retry_after", retry_after).key("queue_stats").raw(stats);
  w.member("maybe_applied", false).end_object().end_object();
  r.fields.emplace_back("Retry-After", std::to_string(retry_after));
  return r;
}

relay_message put_refusal::event(const chat_task &task) const {
  std::string data;
  json_writer w(data);
  w.begin_object().member("message", message()).member("error_type", type).member("http_status", 503);
  w.member("retry_after", retry_after).member("reason", reason).key("queue_stats").raw(stats).end_object();
  return chat_event(task, {.type = type,
                           .agent = "queue",
                           .step = "enqueue",
                           .status = "error",
                           .title = "Request rejected by queue",
                           .data = data,
                           .route = "chat_service"});
}

}  // namespace corbel
