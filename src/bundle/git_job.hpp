#pragma once
/// Owns: one job that corbel-git works on. Callers: the loader. Thread: the loop's.

#include "bundle/git_programs.hpp"
#include "bundle/job.hpp"

#include <functional>
#include <memory>

namespace corbel::detail {

/// A commit's folder that no process removes while this lives.
struct commit_hold {
  std::string commit, folder;
  owned_descriptor lock;
};

class git_job : public std::enable_shared_from_this<git_job> {
 public:
  struct handlers {
    /// hold: of `kept`, and of a load's `done`.
    std::function<void(const job_message &, std::shared_ptr<commit_hold> hold)> message;
    /// Once, the last thing: why it gave no outcome; success when it did.
    std::function<void(const error &)> ended;
  };
  explicit git_job(handlers h) : handlers_(std::move(h)) {}

  /// Errors: the program could not be started; `ended` does not come then.
  error start(const std::shared_ptr<git_programs> &from, const job_request &request);
  /// `ended` follows when nothing is left of it.
  void kill() noexcept;

 private:
  error send(bool fresh);
  void line(std::string_view text);
  void idle();
  void end(int status);
  handlers handlers_;
  std::shared_ptr<git_programs> programs_;
  std::string request_;  // until something was heard
  std::shared_ptr<child> child_;
  error fault_;
  bool has_outcome_ = false, killed_ = false, is_new_ = true;
};

}  // namespace corbel::detail
