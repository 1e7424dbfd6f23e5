#pragma once
/// Owns: one request that somebody outside the server's thread answers, with a deadline. Callers: the C API.
/// Threads: wait on the server's executor; the rest any.

#include <corbel/http_request.hpp>
#include <corbel/http_response.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

namespace corbel::detail {

class http_exchange : public std::enable_shared_from_this<http_exchange> {
 public:
  http_exchange(boost::asio::any_io_executor executor, http_request request)
      : request_(std::move(request)), timer_(std::move(executor)) {}

  const http_request &request() const noexcept { return request_; }
  /// The answer; 504 when none comes in time.
  boost::asio::awaitable<http_response> wait(std::chrono::milliseconds time);
  /// An error of status::state for a second answer, status::timeout after the deadline.
  result<void> answer(http_response response);
  bool answered() const;

 private:
  const http_request request_;
  boost::asio::steady_timer timer_;  // on the executor
  mutable std::mutex mutex_;
  std::optional<http_response> response_;
  bool answered_ = false, late_ = false;
};

}  // namespace corbel::detail
