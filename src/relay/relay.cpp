#include "relay/relay.hpp"

#include "relay/relay_state.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace corbel {

namespace asio = boost::asio;

relay::relay(redis_pool pool, relay_scope scope, log_function log)
    : impl_(std::make_shared<impl>(std::move(pool), std::move(scope), std::move(log))) {
  asio::co_spawn(impl_->pool.executor(), impl_->run(), asio::detached);
}

relay::~relay() {
  impl_->ended = true;
  impl_->seats.clear();
  impl_->rooms.clear();
  impl_->subscription.reset();
}

asio::awaitable<result<std::uint64_t>> relay::open(relay_listener listener) { return impl_->open(std::move(listener)); }
void relay::close(std::uint64_t number) { impl_->close(number); }

std::string relay::session_of(const std::string &stream_id) const {
  auto at = impl_->by_stream_id.find(stream_id);
  return at == impl_->by_stream_id.end() ? std::string() : impl_->seats.at(at->second).session_id;
}

relay_stats relay::stats() const {
  auto &c = impl_->counts;
  return {c.delivered, c.duplicates, c.recovered, c.unreachable, impl_->malformed, impl_->rooms.size()};
}

asio::awaitable<result<std::uint64_t>> relay::impl::open(relay_listener listener) {
  auto self = shared_from_this();
  auto channel = relay_channel(scope, listener.session_id);
  auto &slot = rooms[channel];
  bool created = slot == nullptr;
  if (created) slot = std::make_shared<open_room>(channel, pool.executor());
  auto r = slot;
  auto number = ++last_number;
  bool catches_up = !listener.after.empty();
  if (created || catches_up) r->room.begin_hold();
  r->room.join({number, listener.stream_id, listener.after, listener.begin, listener.give});
  seats.emplace(number, seat{r, listener.session_id, listener.stream_id});
  by_stream_id.emplace(listener.stream_id, number);
  auto failed = co_await arrived(r, created, catches_up);
  if (!failed && ended) failed = error(status::closed, "the relay was closed", "relay");
  if (failed) {
    close(number);
    co_return failed;
  }
  co_return number;
}

asio::awaitable<error> relay::impl::arrived(room_ptr r, bool created, bool catches_up) {
  if (created) {
    auto outcome = co_await subscribe(r);
    if (auto at = rooms.find(r->channel); outcome && at != rooms.end() && at->second == r) rooms.erase(at);
    r->outcome = outcome;
    r->opened.cancel();
    co_return outcome;
  }
  while (!r->outcome) {
    r->opened.expires_at(std::chrono::steady_clock::time_point::max());
    co_await r->opened.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  auto outcome = *r->outcome;
  if (!catches_up) co_return outcome;
  std::vector<relay_message> recent;
  if (!outcome) {
    auto read = co_await read_recent(r->channel);
    if (read)
      recent = *std::move(read);
    else
      outcome = read.error();
  }
  r->room.end_hold(recent, counts);
  co_return outcome;
}

asio::awaitable<error> relay::impl::subscribe(room_ptr r) {
  auto before = co_await read_recent(r->channel);
  if (!before) {
    r->room.end_hold({}, counts);
    co_return before.error();
  }
  r->room.baseline(*before);
  r->based = true;
  if (ended) co_return error(status::closed, "the relay was closed", "relay");
  auto confirmed = co_await subscription->async_subscribe(r->channel, asio::use_awaitable);
  if (!confirmed) {
    r->room.end_hold({}, counts);
    co_return confirmed.error();
  }
  auto after = co_await read_recent(r->channel);
  r->room.end_hold(after ? *after : std::vector<relay_message>{}, counts);
  co_return after.error();
}

void relay::impl::close(std::uint64_t number) {
  auto at = seats.find(number);
  if (at == seats.end()) return;
  auto r = at->second.room;
  auto [first, last] = by_stream_id.equal_range(at->second.stream_id);
  for (auto i = first; i != last; ++i) {
    if (i->second == number) {
      by_stream_id.erase(i);
      break;
    }
  }
  seats.erase(at);
  r->room.leave(number);
  if (!r->room.empty()) return;
  if (auto mapped = rooms.find(r->channel); mapped != rooms.end() && mapped->second == r) rooms.erase(mapped);
  // A room that replaces this one subscribes later than this leaves: the order of the calls decides.
  if (!ended && !rooms.contains(r->channel))
    subscription->async_unsubscribe(r->channel, [self = shared_from_this()](const result<bool> &) {});
}

}  // namespace corbel
