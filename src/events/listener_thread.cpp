#include "events/listener_thread.hpp"

#include "events/listener_hub.hpp"

#include <new>

namespace corbel::detail {

listener::listener(std::shared_ptr<listener_hub> hub, std::shared_ptr<listener_queue> queue) noexcept
    : hub_(std::move(hub)), queue_(std::move(queue)) {}
listener::~listener() {
  if (!hub_->forked()) hub_->close(queue_, false);
}
bool listener::post(std::function<void()> task) { return !hub_->forked() && hub_->post(queue_, std::move(task), false); }
bool listener::post_latest(std::function<void()> task) {
  return !hub_->forked() && hub_->post(queue_, std::move(task), true);
}
void listener::close() {
  if (!hub_->forked()) hub_->close(queue_, true);
}
std::uint64_t listener::refused() const { return hub_->forked() ? 0 : hub_->refused(queue_); }

listener_thread::listener_thread(std::function<void(std::string)> warn, std::chrono::milliseconds slow_after)
    : hub_(std::make_shared<listener_hub>(std::move(warn), slow_after)) {}
listener_thread::~listener_thread() {
  if (hub_->forked())
    new (std::nothrow) std::shared_ptr<listener_hub>(hub_);  // its threads cannot be joined, detached or destroyed here
  else
    hub_->end_when_idle();
}
std::shared_ptr<listener> listener_thread::add(std::string name) {
  return std::make_shared<listener>(hub_, std::make_shared<listener_queue>(std::move(name)));
}
bool listener_thread::is_here() noexcept { return listener_hub::is_here(); }
void listener_thread::stop(std::chrono::milliseconds timeout) {
  if (!hub_->forked()) hub_->stop(timeout);
}

}  // namespace corbel::detail
