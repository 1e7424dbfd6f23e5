#include "operations/latency_recorder.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace corbel {

namespace asio = boost::asio;

namespace {
constexpr std::chrono::seconds between{1};
constexpr std::size_t most = 20;
constexpr int kept_seconds = 3600;

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }
}  // namespace

latency_recorder::latency_recorder(runtime &rt, redis_pool redis, std::string key)
    : redis_(std::move(redis)), key_(std::move(key)), timer_(rt.executor()), random_(std::random_device{}()) {}

std::shared_ptr<latency_recorder> latency_recorder::start(runtime &rt, redis_pool redis, std::string key) {
  auto made = std::make_shared<latency_recorder>(rt, std::move(redis), std::move(key));
  asio::co_spawn(
      rt.executor(), [made] { return made->run(); }, asio::detached);
  return made;
}

void latency_recorder::record(std::chrono::nanoseconds took) {
  const latency_sample s{now(), std::chrono::duration<double, std::milli>(took).count()};
  ++seen_;
  if (chosen_.size() < most)
    chosen_.push_back(s);
  else if (const auto at = random_() % seen_; at < most)
    chosen_[at] = s;
}

void latency_recorder::stop() {
  stopped_ = true;
  timer_.cancel();
}

asio::awaitable<void> latency_recorder::run() {
  while (!stopped_) {
    timer_.expires_after(between);
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!chosen_.empty()) co_await write();
  }
}

asio::awaitable<void> latency_recorder::write() {
  redis_command add("ZADD", key_);
  for (auto &s : chosen_) add.push(fmt::format("{:.6f}", s.at)).push(fmt::format("{:.6f}:{:.3f}", s.at, s.ms));
  chosen_.clear();
  seen_ = 0;
  const call c{.timeout = std::chrono::seconds(2)};
  if (!co_await redis_.async_send(std::move(add), c, asio::use_awaitable)) co_return;
  co_await redis_.async_send(redis_command("ZREMRANGEBYSCORE", key_, "-inf", fmt::format("{:.6f}", now() - kept_seconds)), c,
                             asio::use_awaitable);
  co_await redis_.async_send(redis_command("EXPIRE", key_, kept_seconds + 60), c, asio::use_awaitable);
}

}  // namespace corbel
