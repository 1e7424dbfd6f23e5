#include "bundle/git_job.hpp"

#include <fmt/format.h>

namespace corbel::detail {

error git_job::start(const std::shared_ptr<git_programs> &from, const job_request &request) {
  programs_ = from;
  request_ = write_job(request);
  return send(false);
}

error git_job::send(bool fresh) {
  auto self = shared_from_this();
  auto taken = programs_->take(
      {[self](std::string_view text) { self->line(text); }, [self](int status) { self->end(status); }}, fresh);
  if (!taken) return taken.error();
  child_ = std::move(taken->program);
  is_new_ = taken->is_new;
  child_->send(request_);
  return {};
}

void git_job::kill() noexcept {
  killed_ = true;
  if (child_) child_->kill();
}

void git_job::line(std::string_view text) {
  if (killed_ || fault_) return;
  request_.clear();
  auto m = read_job_message(text);
  if (!m) {
    fault_ = m.error();
    return child_->kill();
  }
  if (m->what == job_message::kind::idle) return programs_->post([self = shared_from_this()] { self->idle(); });
  const bool outcome = m->what == job_message::kind::done || m->what == job_message::kind::failed;
  has_outcome_ = has_outcome_ || outcome;
  std::shared_ptr<commit_hold> hold;
  if (m->what == job_message::kind::kept || (m->what == job_message::kind::done && !m->commit.empty())) {
    hold = std::make_shared<commit_hold>(commit_hold{m->commit, m->folder, child_->take_descriptor()});
    if (!hold->lock) {
      has_outcome_ = false;
      fault_ = error(status::protocol, "corbel-git sent no lock with a commit", "git", "LINE");
      return child_->kill();
    }
  }
  handlers_.message(*m, std::move(hold));
}

void git_job::idle() {
  // It may have died meanwhile, or is about to.
  if (!child_ || killed_ || fault_ || !has_outcome_) return child_ ? child_->kill() : void();
  programs_->keep(std::exchange(child_, nullptr));
  auto ended = std::exchange(handlers_, {}).ended;
  ended({});
}

void git_job::end(int status) {
  // One that had waited for work may have died before it heard of this.
  if (!is_new_ && !killed_ && !request_.empty()) {
    if (auto why = send(true))
      fault_ = why;
    else
      return;
  }
  auto ended = std::move(handlers_.ended);
  handlers_ = {};
  child_.reset();
  if (fault_) return ended(fault_);
  if (has_outcome_) return ended({});
  if (killed_) return ended(error(corbel::status::cancelled, "corbel-git was ended", "git"));
  const auto how = status >= 0 ? fmt::format("with status {}", status) : fmt::format("by signal {}", -status);
  ended(error(corbel::status::unavailable, fmt::format("corbel-git ended {} before it had an outcome", how), "git", "ENDED",
              error::retriable));
}

}  // namespace corbel::detail
