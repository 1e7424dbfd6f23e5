#include "relay/relay_state.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace corbel {

namespace asio = boost::asio;

namespace {
constexpr unsigned recoverers_at_once = 16;  // recent lists under way: each may hold a quarter of a thousand messages
}

asio::awaitable<void> relay::impl::run() {
  auto self = shared_from_this();
  while (!ended) {
    auto batch = co_await subscription->async_receive(asio::use_awaitable);
    if (!batch) {
      if (!ended && !batch.error().is(status::closed) && !batch.error().is(status::cancelled))
        log(log_level::error, "the relay's subscription ended: " + batch.error().message());
      break;
    }
    for (auto &n : *batch) {
      if (!ended) take(n);
    }
  }
}

void relay::impl::take(const redis_notice &n) {
  bool gap = n.dropped > 0 || (epoch != 0 && n.epoch != epoch && n.type == redis_notice::kind::message);
  epoch = n.epoch;
  if (gap) recover_all(n.dropped ? "the relay was slow" : "the connection changed");
  switch (n.type) {
    case redis_notice::kind::gap:
      return hold_all();
    case redis_notice::kind::resubscribed:
      return recover_all("the connection came back");
    case redis_notice::kind::message:
      break;
  }
  auto at = rooms.find(std::string(n.channel()));
  if (at == rooms.end()) return;
  if (auto m = parse(n.payload())) at->second->room.accept(*std::move(m), counts);
}

std::optional<relay_message> relay::impl::parse(std::string_view json) {
  auto m = relay_message::parse(json);
  if (m) return *std::move(m);
  if (malformed++ == 0) log(log_level::warning, "a message of a session could not be read: " + m.error().message());
  return {};
}

void relay::impl::hold_all() {
  for (auto &[channel, r] : rooms) {
    if (!std::exchange(r->away, true)) r->room.begin_hold();
  }
}

void relay::impl::recover_all(const char *why) {
  for (auto &[channel, r] : rooms) {
    // One that is still opening reads the list by itself, unless it has done so before the connection was lost.
    if (!std::exchange(r->away, false)) r->room.begin_hold();
    to_recover.push_back(r);
  }
  if (rooms.empty()) return;
  log(log_level::info, fmt::format("{}: reading again what {} sessions may have missed", why, rooms.size()));
  for (; recoverers < recoverers_at_once && recoverers < to_recover.size(); ++recoverers)
    asio::co_spawn(pool.executor(), recover(), asio::detached);
}

asio::awaitable<void> relay::impl::recover() {
  auto self = shared_from_this();
  asio::steady_timer pause(pool.executor());
  while (!ended && !to_recover.empty()) {
    auto r = std::move(to_recover.front());
    to_recover.pop_front();
    std::vector<relay_message> recent;
    while (!ended && r->based && !r->room.empty()) {
      auto read = co_await read_recent(r->channel);
      if (read) {
        recent = *std::move(read);
        break;
      }
      if (read.error().is(status::closed) || read.error().is(status::cancelled)) break;
      pause.expires_after(std::chrono::milliseconds(50));
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    if (!ended) r->room.end_hold(recent, counts);
  }
  --recoverers;
}

asio::awaitable<result<std::vector<relay_message>>> relay::impl::read_recent(std::string channel) {
  redis_command command("LRANGE", relay_recent_key(channel), 0, -1);
  call c{.idempotent = true};
  auto reply = co_await pool.async_send(std::move(command), c, asio::use_awaitable);
  if (!reply) co_return reply.error();
  std::vector<relay_message> recent;
  recent.reserve(reply->root().size());
  for (auto &element : reply->root().elements()) {
    if (auto m = parse(element.text())) recent.push_back(*std::move(m));
  }
  co_return recent;
}

}  // namespace corbel
