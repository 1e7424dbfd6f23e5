#pragma once
/// Owns: carrying out one job, in the program corbel-git. Blocks; the one who started the program bounds it, and may kill it
/// at any moment: what is on the disk is whole then.

#include "bundle/job.hpp"

#include <functional>

namespace corbel::detail {

/// Sends a message, with a descriptor when it is not negative; the receiver gets its own.
using job_sender = std::function<void(const job_message &, int descriptor)>;

/// Sends one message `done` or `failed`; only `removed` may follow.
void run_job(const job_request &request, const job_sender &send);

}  // namespace corbel::detail
