#include "queue/consumer_core.hpp"

namespace corbel {

consumer::consumer(const redis_pool &pool, queue_options options)
    : core_(detail::consumer_core::open(pool, std::move(options))) {}

detail::io_executor consumer::executor() const { return core_->executor(); }

void consumer::start_take(const core_ptr &core, detail::operation_ptr<message> op) { core->take(std::move(op)); }

void consumer::start_drain(const core_ptr &core, call c, detail::operation_ptr<std::size_t> op) {
  core->drain(c, std::move(op));
}

// ---- message ----

message::~message() {
  if (state_) state_->core->drop(state_);
}

message &message::operator=(message &&other) noexcept {
  message old(std::move(*this));
  state_ = std::move(other.state_);
  return *this;
}

const std::string &message::id() const noexcept { return state_->claimed.id; }

std::string_view message::body() const noexcept { return std::string_view(state_->claimed.element).substr(state_->body_at); }

std::uint32_t message::attempt() const noexcept { return state_->claimed.attempt; }
std::uint64_t message::token() const noexcept { return state_->claimed.token; }

detail::io_executor message::executor() const { return state_->core->executor(); }

void message::start_settle(settle how, call c, detail::operation_ptr<bool> op) {
  state_->core->settle_message(state_, how, c, std::move(op));
}

}  // namespace corbel
