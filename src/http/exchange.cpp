#include "http/exchange.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace corbel::detail {

namespace asio = boost::asio;

asio::awaitable<http_response> http_exchange::wait(std::chrono::milliseconds time) {
  auto self = shared_from_this();
  timer_.expires_after(time);
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (response_) co_return *std::move(response_);
      if (timer_.expiry() <= std::chrono::steady_clock::now()) {
        late_ = true;
        co_return http_refusal(504, "answer_timeout", "the host did not answer in time");
      }
    }
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

result<void> http_exchange::answer(http_response response) {
  {
    std::lock_guard lock(mutex_);
    if (answered_) return error(status::state, "this request is answered already: each is answered once", "http");
    if (late_) return error(status::timeout, "too late: the client was answered 504 before", "http");
    answered_ = true;
    response_ = std::move(response);
  }
  asio::post(timer_.get_executor(), [self = shared_from_this()] { self->timer_.cancel(); });
  return {};
}

bool http_exchange::answered() const {
  std::lock_guard lock(mutex_);
  return answered_ || late_;
}

}  // namespace corbel::detail
