#pragma once
/// Owns: what the library reads of a platform task, and the task that a wake-up stands for. Pure. Callers: the platform
/// protocol. Thread: any.

#include <corbel/result.hpp>

#include <string>
#include <string_view>

namespace corbel::detail {

struct platform_task {
  std::string id, user_type, conversation;
};
/// A task that is put: it has to be a JSON object with an id (meta.task_id, or task_id).
result<platform_task> read_platform_task(std::string_view json);

/// The task in the record of an event, with what the event is and the wake-up that led to it; empty where the record has
/// none that can be read. record and wake_up: JSON objects. An array that others have written as {} is [] again.
std::string resolve_wake_up(std::string_view record, std::string_view wake_up);

}  // namespace corbel::detail
