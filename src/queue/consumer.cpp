#include "queue/consumer_core.hpp"
namespace corbel {

namespace {

/// Gives what was taken to an operation that wants a message, which hands it back when destroyed unsettled.
class as_message final : public detail::operation<detail::message_ptr> {
 public:
  explicit as_message(detail::operation_ptr<message> op) : op_(std::move(op)) {}
  void finish(result<detail::message_ptr> r) noexcept override {
    auto op = std::move(op_);
    delete this;
    detail::finish(std::move(op), r ? result<message>(message(std::move(*r))) : result<message>(r.error()));
  }
  bool cancellable() const noexcept override { return op_->cancellable(); }
  void on_cancel(std::function<void()> fn) override { op_->on_cancel(std::move(fn)); }

 private:
  detail::operation_ptr<message> op_;
};

}  // namespace

consumer::consumer(const redis_pool &pool, queue_options options)
    : core_(detail::consumer_core::open(pool, std::move(options))) {}

detail::io_executor consumer::executor() const { return core_->executor(); }

void consumer::set_concurrency(std::uint32_t concurrency) { core_->set_concurrency(concurrency); }

void consumer::start_take(const core_ptr &core, detail::operation_ptr<message> op) {
  core->start_take(detail::operation_ptr<detail::message_ptr>(new as_message(std::move(op))));
}

void consumer::start_drain(const core_ptr &core, call c, detail::operation_ptr<std::size_t> op) {
  core->start_drain(c, std::move(op));
}

// ---- message ----

message::~message() {
  if (!state_) return;
  auto core = state_->core;
  core->drop(std::move(state_));
}

message &message::operator=(message &&other) noexcept {
  if (this == &other) return *this;
  message old(std::move(*this));
  state_ = std::move(other.state_);
  return *this;
}

const std::string &message::id() const noexcept { return state_->claimed->id; }

std::string_view message::body() const noexcept { return state_->claimed->delivered(); }

std::uint32_t message::attempt() const noexcept { return state_->claimed->attempt; }
std::uint64_t message::token() const noexcept { return state_->claimed->token; }
std::string_view message::lane() const noexcept { return state_->core->lanes()[state_->claimed->lane].name; }
std::string_view message::group() const noexcept { return state_->claimed->group; }
std::chrono::system_clock::time_point message::put_at() const noexcept { return state_->claimed->put_at; }
bool message::lost() const noexcept { return state_->taken_away; }

detail::io_executor message::executor() const { return state_->core->executor(); }

void message::start_settle(settle_request how, call c, detail::operation_ptr<bool> op) {
  auto &core = *state_->core;
  if (state_->overtaken()) return detail::finish(std::move(op), result<bool>(false));
  if (auto why = core.admit_settle(*state_, how)) return detail::finish(std::move(op), result<bool>(why));
  core.start_settle(state_, std::move(how), c, std::move(op));
}

void message::start_wait_lost(detail::operation_ptr<bool> op) { state_->core->start_wait_lost(state_, std::move(op)); }

}  // namespace corbel
