#pragma once
/// Owns: carrying out jobs, one after the other, in the program corbel-git. Blocks; the one who started the program bounds
/// it, and may kill it at any moment: what is on the disk is whole then.

#include "bundle/job.hpp"

#include <functional>
#include <memory>
#include <string>

namespace corbel::detail {

/// Sends a message, with a descriptor when it is not negative; the receiver gets its own.
using job_sender = std::function<void(const job_message &, int descriptor)>;

class git_library;

class job_runner {
 public:
  job_runner();
  ~job_runner();
  /// Sends one message `done` or `failed`; only `removed` may follow. True when it may do another job: it went well, and
  /// nothing secret was told.
  bool run(const job_request &request, const job_sender &send);

 private:
  void start_library(const job_request &request);
  const std::string user_home_;
  std::string home_, ca_file_;  // that the library was started with
  std::unique_ptr<git_library> library_;
};

}  // namespace corbel::detail
