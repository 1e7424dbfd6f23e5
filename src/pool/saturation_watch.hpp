#pragma once
/// Owns: the looks at a pool whose callers wait, four a second while they do; none else. Callers: pools, which report what
/// is told as their health. Threads: note on any, the rest on the pool's loop, where the functions run too.

#include "pool/saturation.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace corbel::detail {

class saturation_watch : public std::enable_shared_from_this<saturation_watch> {
 public:
  /// The pool's counts as text while callers wait and none of its connections is free; else empty.
  using full_function = std::function<std::string()>;
  /// saturated: again with each look while it is; then once with false.
  using tell_function = std::function<void(bool saturated, const std::string &counts)>;

  saturation_watch(boost::asio::io_context &context, full_function full, tell_function tell)
      : context_(context), timer_(context), full_(std::move(full)), tell_(std::move(tell)) {}

  /// A caller waits.
  void note() {
    if (looking_.exchange(true, std::memory_order_relaxed)) return;
    boost::asio::post(context_, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->look();
    });
  }
  bool is_looking() const noexcept { return looking_.load(std::memory_order_relaxed); }
  void stop() {
    stopped_ = true;
    timer_.cancel();
  }

 private:
  static constexpr std::chrono::milliseconds every{250};

  void look() {
    if (stopped_) return;
    const auto counts = full_();
    const auto news = plan_.look(!counts.empty());
    if (news == saturation::news::begun || (news == saturation::news::goes_on && !counts.empty())) tell_(true, counts);
    if (news == saturation::news::ended) tell_(false, {});
    if (plan_.is_over()) {
      looking_ = false;
      return;
    }
    timer_.expires_after(every);
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code &ec) {
      auto self = weak.lock();
      if (!ec && self) self->look();
    });
  }

  boost::asio::io_context &context_;
  boost::asio::steady_timer timer_;
  const full_function full_;
  const tell_function tell_;
  saturation plan_;
  std::atomic<bool> looking_{false};
  bool stopped_ = false;
};

}  // namespace corbel::detail
