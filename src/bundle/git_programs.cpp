#include "bundle/git_programs.hpp"

namespace corbel::detail {

git_programs::git_programs(std::shared_ptr<loop> where, std::string program, std::vector<std::string> environment)
    : loop_(std::move(where)),
      program_(std::move(program)),
      environment_(std::move(environment)),
      until_(loop_->context()) {}

result<git_programs::taken> git_programs::take(child::handlers h, bool fresh) {
  if (idle_ && !fresh) {
    until_.cancel();
    auto program = std::exchange(idle_, nullptr);
    program->hand_over(std::move(h));
    return taken{std::move(program), false};
  }
  auto started = child::start(loop_, {program_}, environment_, std::move(h));
  if (!started) return started.error();
  return taken{std::move(*started), true};
}

void git_programs::keep(std::shared_ptr<child> idle) {
  auto *which = idle.get();
  idle->hand_over({[which](std::string_view) { which->kill(); },
                   [weak = weak_from_this(), which](int) {
                     auto self = weak.lock();
                     if (self && self->idle_.get() == which) self->idle_.reset();
                   }});
  if (idle_ || closed_) return idle->kill();
  idle_ = std::move(idle);
  until_.expires_after(idle_time);
  until_.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
    auto self = weak.lock();
    if (!ec && self) self->end_idle();
  });
}

void git_programs::end_idle() {
  if (auto program = std::exchange(idle_, nullptr)) program->kill();
}

void git_programs::close() {
  closed_ = true;
  until_.cancel();
  end_idle();
}

}  // namespace corbel::detail
