#include "relay/publisher.hpp"

#include "relay/unique_id.hpp"
#include "scripts/relay_publish.hpp"

#include <corbel/redis_script.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace corbel {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

const redis_script &publish_script() {
  static const auto &script = *new redis_script(scripts::relay_publish, 1);  // never destroyed: I/O threads may outlive it
  return script;
}

/// Whether the same call may work later. What it did before is no matter: readers know messages by their id.
bool worth_another_try(const error &e) {
  return e.may_retry() || e.is(status::lost) || e.is(status::timeout) || e.is(status::unavailable) || e.is(status::busy);
}

}  // namespace

relay_publisher::relay_publisher(redis_pool pool, relay_scope scope) : pool_(std::move(pool)), scope_(std::move(scope)) {}

asio::awaitable<result<std::int64_t>> relay_publisher::send(const std::string &channel, const std::string &message, call c) {
  auto command = publish_script().command(relay_recent_key(channel), channel, message, recent_messages, recent_time.count());
  auto reply = co_await async_run(pool_, publish_script(), std::move(command), c, asio::use_awaitable);
  if (!reply) co_return reply.error();
  co_return reply->root().integer();
}

asio::awaitable<result<std::int64_t>> relay_publisher::publish(relay_message m) {
  if (m.id.empty()) m.id = unique_id();
  call c{.idempotent = true};
  co_return co_await send(relay_channel(scope_, m.session_id), m.json(), c);
}

asio::awaitable<result<std::int64_t>> relay_publisher::publish_surely(relay_message m, std::chrono::milliseconds patience) {
  if (m.id.empty()) m.id = unique_id();
  auto channel = relay_channel(scope_, m.session_id);
  auto message = m.json();
  auto end = std::chrono::steady_clock::now() + patience;
  asio::steady_timer pause(pool_.executor());
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    call c{.timeout = std::clamp<std::chrono::milliseconds>(left, 1ms, 5000ms), .idempotent = true};
    auto told = co_await send(channel, message, c);
    if (told || !worth_another_try(told.error()) || left <= 0ms) co_return told;
    pause.expires_after(50ms);  // against a server that refuses at once, such as one that is loading
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

}  // namespace corbel
