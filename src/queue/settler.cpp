#include "queue/settler.hpp"

#include <algorithm>

namespace corbel::detail {

namespace {

/// Calls under way at once: what comes meanwhile leaves with the next. One, for a claim is under way beside it: more but
/// smaller calls cost the server more than they gain.
constexpr unsigned most_calls = 1;
constexpr std::size_t most_messages = 256, most_bytes = 8u << 20;

settle_plan make_plan(settle how, std::string_view id, std::chrono::milliseconds timeout) {
  const auto now = settle_plan::clock::now();
  return {how, id, now, timeout < timeout.zero() ? settle_plan::clock::time_point::max() : now + timeout};
}

}  // namespace

settler::settler(const redis_pool &pool, std::shared_ptr<const queue_protocol> protocol, std::string by)
    : pool_(pool), protocol_(std::move(protocol)), by_(std::move(by)) {}

void settler::settle(std::uint64_t ticket, corbel::settle how, settle_entry entry, std::chrono::milliseconds timeout,
                     told_function told) {
  auto plan = make_plan(how, entry.message->id, timeout);
  auto s = std::make_shared<settlement>(settlement{ticket, how, std::move(entry), std::move(plan), std::move(told), false});
  all_.emplace(ticket, s);
  enqueue(std::move(s));
}

void settler::enqueue(settlement_ptr s) {
  queue_of(s->how).push_back(std::move(s));
  if (enlisted_) return;
  enlisted_ = shared_from_this();
  if (!batch_scope::at_end(batch_scope::write, *this)) end_of_batch();
}

void settler::end_of_batch() noexcept {
  auto keep = std::exchange(enlisted_, nullptr);
  batch_scope scope;
  flush();
}

void settler::flush() {
  while (calls_ < most_calls) {
    auto some = next_batch();
    if (some.empty()) return;
    send(std::move(some));
  }
}

/// Of one kind; what was worked goes first, for it makes room.
settler::batch settler::next_batch() {
  batch some;
  for (auto &queue : waiting_) {
    std::size_t bytes = 0;
    while (!queue.empty() && some.size() < most_messages && bytes < most_bytes) {
      auto s = std::move(queue.front());
      queue.pop_front();
      if (s->ended) continue;
      bytes += s->entry.message->element.size();
      some.push_back(std::move(s));
    }
    if (!some.empty()) break;
  }
  return some;
}

void settler::send(batch some) {
  ++calls_;
  std::vector<settle_entry> entries;
  entries.reserve(some.size());
  const auto now = settle_plan::clock::now();
  auto timeout = some.front()->plan.left(now);
  for (const auto &s : some) {
    entries.push_back(s->entry);
    const auto left = s->plan.left(now);
    if (left >= left.zero() && (timeout < timeout.zero() || left < timeout)) timeout = left;
  }
  auto [script, command] = protocol_->settle(some.front()->how, entries, by_);
  async_run(pool_, script, std::move(command), {.timeout = timeout},
            [self = shared_from_this(), some = std::move(some), entries = std::move(entries)](result<redis_reply> r) {
              self->answered(some, entries, r);
            });
}

void settler::answered(const batch &some, const std::vector<settle_entry> &entries, const result<redis_reply> &r) {
  batch_scope scope;
  --calls_;
  const auto now = settle_plan::clock::now();
  const auto replies = r ? protocol_->read_settle(r->root(), some.front()->how, entries) : std::vector<int>();
  for (std::size_t i = 0; i < some.size(); ++i) {
    const auto &s = some[i];
    if (!s->ended) go_on(s, r ? s->plan.answered(replies[i]) : s->plan.failed(r.error(), now));
  }
  flush();
  batch_scope::write_now();
}

void settler::go_on(const settlement_ptr &s, const settle_plan::decision &d) {
  if (d.ended) return end(s, *d.ended);
  if (d.pause == d.pause.zero()) return enqueue(s);
  auto timer = std::make_shared<boost::asio::steady_timer>(pool_.executor(), d.pause);
  timer->async_wait([self = shared_from_this(), s, timer](const boost::system::error_code &) {
    batch_scope scope;
    if (!s->ended) self->enqueue(s);
  });
}

void settler::end(const settlement_ptr &s, const result<bool> &r) {
  s->ended = true;
  auto told = std::move(s->told);
  all_.erase(s->ticket);
  told(r);
}

bool settler::end(std::uint64_t ticket, const error &why) {
  auto it = all_.find(ticket);
  if (it == all_.end()) return false;
  end(settlement_ptr(it->second), result<bool>(why));
  return true;
}

void settler::end_all(const error &why) {
  while (!all_.empty()) end(settlement_ptr(all_.begin()->second), result<bool>(why));
}

}  // namespace corbel::detail
