#pragma once
/// What the log says of a message beside the text: the names by which its request is found elsewhere. Pure; any thread.

#include "operations/chat_task.hpp"

#include <corbel/log.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace corbel {

/// message, attempt, request_id, tenant, project, bundle_id, conversation_id and, where something is wrong, error_class: an
/// error's status ("TIMEOUT"), or another short name. task: nullptr when the message could not be read.
std::vector<log_field> task_fields(const std::string &message, std::uint32_t attempt, const chat_task *task,
                                   std::string error_class = {});

}  // namespace corbel
