#include "operations/task_fields.hpp"

#include <corbel/trace.hpp>

namespace corbel {

std::vector<log_field> task_fields(const std::string &message, std::uint32_t attempt, const chat_task *task,
                                   std::string error_class) {
  std::vector<log_field> fields{{"message", message}, {"attempt", std::to_string(attempt)}};
  if (task) {
    fields.push_back({"request_id", task->request()});
    fields.push_back({"tenant", task->tenant});
    fields.push_back({"project", task->project});
    fields.push_back({"bundle_id", task->bundle_id});
    fields.push_back({"session_id", task->session_id});
    fields.push_back({"conversation_id", task->conversation_id});
    if (auto trace = trace_context::parse(task->traceparent)) {
      fields.push_back({"trace_id", trace->trace_id()});
      fields.push_back({"span_id", trace->span_id()});
    }
  }
  if (!error_class.empty()) fields.push_back({"error_class", std::move(error_class)});
  return fields;
}

}  // namespace corbel
