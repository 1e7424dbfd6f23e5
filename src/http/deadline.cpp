#include "http/deadline.hpp"

#include <utility>

namespace corbel::detail {

namespace {
constexpr std::chrono::milliseconds again{50};
}

http_deadline::http_deadline(boost::asio::any_io_executor executor, std::function<void(bool)> expire)
    : state_(std::make_shared<state>(std::move(executor))) {
  state_->expire = std::move(expire);
}

http_deadline::~http_deadline() {
  clear();
  state_->expire = nullptr;
  state_->timer.cancel();
}

void http_deadline::set(clock::duration from_now) {
  state_->expired = false;
  state_->at = clock::now() + from_now;
  if (state_->at < state_->armed) arm(state_);
}

void http_deadline::arm(const std::shared_ptr<state> &s) {
  s->armed = s->at;
  s->timer.expires_at(s->at);
  s->timer.async_wait([s](const boost::system::error_code &ec) {
    if (ec || !s->expire) return;
    s->armed = clock::time_point::max();
    if (s->at == clock::time_point::max()) return;
    if (clock::now() < s->at) return arm(s);
    const bool first = !std::exchange(s->expired, true);
    s->at = clock::now() + again;
    arm(s);
    s->expire(first);
  });
}

}  // namespace corbel::detail
