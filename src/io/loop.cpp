#include "io/loop.hpp"

#include <pthread.h>

namespace corbel::detail {

namespace asio = boost::asio;

loop::loop() : own_(std::make_unique<asio::io_context>(1)), context_(own_.get()), work_(asio::make_work_guard(*own_)) {}

loop::loop(asio::io_context &host) : context_(&host) {}

loop::~loop() {
  if (thread_.joinable()) thread_.detach();
}

void loop::start(const std::shared_ptr<loop> &self, const std::string &thread_name) {
  std::promise<void> ended;
  self->ended_ = ended.get_future();
  self->thread_ = std::thread([self, ended = std::move(ended)]() mutable {
    self->context().run();
    ended.set_value();
  });
  ::pthread_setname_np(self->thread_.native_handle(), thread_name.substr(0, 15).c_str());
}

void loop::join(std::chrono::milliseconds timeout) {
  work_.reset();
  if (!thread_.joinable()) return;
  if (ended_.wait_for(timeout) != std::future_status::ready) context_->stop();
  thread_.join();
}

void loop::abandon() noexcept {
  work_.reset();
  if (thread_.joinable()) thread_.detach();
}

}  // namespace corbel::detail
