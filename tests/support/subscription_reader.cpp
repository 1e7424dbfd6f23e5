#include "support/subscription_reader.hpp"

#include <boost/asio/use_future.hpp>

#include <future>

namespace corbel::test {

subscription_reader::subscription_reader(redis_subscription sub) : sub_(std::move(sub)), thread_([this] { run(); }) {}

subscription_reader::~subscription_reader() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void subscription_reader::run() {
  for (;;) {
    auto batch = sub_->async_receive(boost::asio::use_future);
    while (batch.wait_for(std::chrono::milliseconds(5)) != std::future_status::ready) {
      std::lock_guard lock(mutex_);
      if (!stopping_) continue;
      sub_.reset();
      return;
    }
    auto got = batch.get();
    auto now = std::chrono::steady_clock::now();
    std::lock_guard lock(mutex_);
    if (!got) {
      ended_ = got.error();
      return;
    }
    for (auto &n : *got) {
      bool message = n.type == redis_notice::kind::message;
      auto copy = [&](std::string_view s) { return message ? std::string(s) : std::string(); };
      seen_.push_back({n.type, n.epoch, n.dropped, copy(n.channel()), copy(n.pattern()), copy(n.payload()), now});
    }
    if (stopping_) return;
  }
}

std::vector<seen_notice> subscription_reader::seen() const {
  std::lock_guard lock(mutex_);
  return seen_;
}

std::vector<std::string> subscription_reader::payloads() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (auto &n : seen_) {
    if (n.type == redis_notice::kind::message) all.push_back(n.payload);
  }
  return all;
}

std::optional<error> subscription_reader::ended() const {
  std::lock_guard lock(mutex_);
  return ended_;
}

}  // namespace corbel::test
