#include "queue/producer_core.hpp"

#include "queue/admission.hpp"
#include "queue/limits.hpp"
#include "queue/message_id.hpp"
#include "redis/pool_core.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

namespace {

/// Script calls under way at once: what comes meanwhile leaves with the next.
constexpr std::size_t most_calls = 4;
constexpr std::size_t most_items = 512, most_bytes = 8u << 20;
/// A call takes no more puts than its share of all that are under way, but so many: then the server works on some while this
/// side works on the others.
constexpr std::size_t least_share = 8;

error closed_error() {
  return error(status::closed, "the producer's pool was closed or its runtime was shut down", "queue");
}

error too_late() {
  return error(status::unavailable, "the deadline passed before the messages could be sent; none was put", "queue", {},
               error::retriable);
}

std::size_t bytes_of(const put_group &items) {
  std::size_t sum = 0;
  for (const auto &item : items) sum += item.body.size();
  return sum;
}

}  // namespace

std::shared_ptr<producer_core> producer_core::open(const redis_pool &pool, queue_options options) {
  check_producer(options);
  auto core = std::make_shared<producer_core>(pool, std::move(options));
  core->number_ = pool.core()->runtime().enlist(core);
  core->ticket_base_ = runtime_core::ticket_base(core->number_);
  return core;
}

producer_core::producer_core(const redis_pool &pool, queue_options options)
    : options_(std::move(options)),
      pool_(pool),
      protocol_(make_protocol(options_, pool.core()->runtime().instance())),
      timer_(pool.executor()),
      metrics_(pool.core()->runtime(), options_, queue_metrics::side::producer, counters_) {
  if (options_.admission) fleet_.emplace(pool_, options_, *options_.admission);
}

producer_core::~producer_core() { pool_.core()->runtime().delist(number_); }

error producer_core::refusal() const {
  if (pool_.core()->runtime().forked()) return forked_error();
  return ended_ ? closed_error() : pool_.core()->refusal();
}

void producer_core::put(put_group items, call c, operation_ptr<put_receipt> op, std::uint64_t ticket) {
  auto why = refusal();
  if (!why) why = check(items);
  if (why) return finish(std::move(op), result<put_receipt>(why));
  bool repeatable = true;
  for (auto &item : items) {
    if (item.id.empty()) item.id = protocol_->id_of(item);
    if (item.id.empty()) item.id = make_message_id();
    repeatable = repeatable && !item.idempotency_key.empty();
  }
  const auto timeout = c.timeout == c.timeout.zero() ? pool_.core()->settings().options.call_timeout : c.timeout;
  const auto deadline = timeout < timeout.zero() ? clock::time_point::max() : clock::now() + timeout;
  if (ticket == 0) ticket = next_ticket();
  if (op->cancellable()) {
    op->on_cancel([weak = weak_from_this(), ticket] {
      if (auto core = weak.lock()) core->home().post([core, ticket] { core->cancel(ticket); });
    });
  }
  pending p{std::move(items), std::move(op), ticket, deadline, c.idempotent || repeatable};
  on_loop([p = std::move(p)](producer_core &self) mutable { self.accept(std::move(p)); });
}

/// Runs f(*this) on the loop, in the order of the calls of one thread; at once where this is the loop.
template <class F>
void producer_core::on_loop(F f) {
  if (executor_is_here()) return f(*this);
  if (inbox_.push(std::move(f)))
    boost::asio::post(pool_.executor(), [self = shared_from_this()] { self->inbox_.run(*self); });
}

void producer_core::set_admission(std::optional<queue_admission> rules) {
  if (rules) check_admission(*rules, options_);
  if (ended_) return;
  on_loop([rules = std::move(rules)](producer_core &self) mutable {
    self.fleet_.reset();
    if (rules) self.fleet_.emplace(self.pool_, self.options_, std::move(*rules));
  });
}

void producer_core::accept(pending p) {
  if (ended_) return finish(std::move(p.op), result<put_receipt>(closed_error()));
  waiting_.push_back(std::move(p));
  if (enlisted_) return;
  enlisted_ = shared_from_this();
  if (!batch_scope::at_end(batch_scope::write, *this)) end_of_batch();
}

void producer_core::end_of_batch() noexcept {
  auto keep = std::exchange(enlisted_, nullptr);
  batch_scope batch;
  flush();
}

void producer_core::flush() {
  while (calls_.size() < most_calls) {
    auto s = next_batch();
    if (!s) break;
    const auto call = ++last_call_;
    calls_.emplace(call, s);
    auto go = [self = shared_from_this(), s, call](result<put_admission> admission) {
      if (!admission) return self->failed(call, admission.error());
      s->admission = *std::move(admission);
      self->send(call, s);
    };
    if (fleet_)
      fleet_->now(std::move(go));
    else
      send(call, s);
  }
  if (!waiting_.empty()) arm();
}

/// The oldest puts, as many as fit a call.
std::shared_ptr<producer_core::sent> producer_core::next_batch() {
  std::shared_ptr<sent> s;
  std::size_t items = 0, bytes = 0, all = waiting_.size();
  for (const auto &[number, call] : calls_) all += call->callers.size();
  const auto share = std::max(least_share, (all + most_calls - 1) / most_calls);
  while (!waiting_.empty()) {
    auto &p = waiting_.front();
    if (p.op) {
      const auto more = bytes_of(p.items);
      if (s && (s->callers.size() == share || items + p.items.size() > most_items || bytes + more > most_bytes)) break;
      if (!s) s = std::make_shared<sent>();
      items += p.items.size();
      bytes += more;
      s->groups.push_back(std::move(p.items));
      s->callers.push_back(std::move(p));
    }
    waiting_.pop_front();
  }
  return s;
}

void producer_core::send(std::uint64_t call_number, const std::shared_ptr<sent> &s) {
  call c{.timeout = call::unlimited, .idempotent = true};
  auto earliest = clock::time_point::max();
  for (const auto &p : s->callers) {
    earliest = std::min(earliest, p.deadline);
    c.idempotent = c.idempotent && p.idempotent;
  }
  if (earliest != clock::time_point::max())
    c.timeout =
        std::max(std::chrono::ceil<std::chrono::milliseconds>(earliest - clock::now()), std::chrono::milliseconds(1));
  auto told = [self = shared_from_this(), call_number](result<redis_reply> r) { self->answered(call_number, r); };
  const auto now = server_clock_.now(clock::now());
  if (now && !s->admission) {
    if (auto plain = protocol_->plain_put(s->groups, *now)) return pool_.async_send(std::move(*plain), c, std::move(told));
  }
  auto [script, command] = protocol_->put(s->groups, s->admission, now);
  async_run(pool_, script, std::move(command), c, std::move(told));
}

void producer_core::answered(std::uint64_t call_number, const result<redis_reply> &r) {
  if (!r) return failed(call_number, r.error());
  batch_scope batch;
  auto node = calls_.extract(call_number);
  if (node.empty()) return;
  auto &s = *node.mapped();
  const auto answer = protocol_->read_put(r->root(), s.groups);
  if (answer.now > 0) server_clock_.told(answer.now, clock::now());
  for (std::size_t i = 0; i < s.callers.size(); ++i) end_one(s.callers[i], s.groups[i], answer.groups[i], answer.ready, s);
  flush();
  check_idle();
}

void producer_core::end_one(pending &p, put_group &items, const put_outcome &outcome, std::int64_t ready, const sent &s) {
  if (!outcome.refused.empty()) {
    counters_->refused(outcome.refused, items.size());
    if (p.op)
      finish(std::move(p.op),
             result<put_receipt>(refused_put(outcome, s.admission ? s.admission->fleet : fleet_capacity{})));
    return;
  }
  counters_->put.add(items.size() - outcome.repeated.size());
  counters_->repeated.add(outcome.repeated.size());
  if (!p.op) return;
  put_receipt receipt;
  receipt.depth = ready;
  receipt.ids.reserve(items.size());
  for (auto &item : items) receipt.ids.push_back(std::move(item.id));
  for (const auto &[index, id] : outcome.repeated) {
    receipt.repeated.push_back(index);
    receipt.ids[index] = id;
  }
  finish(std::move(p.op), result<put_receipt>(std::move(receipt)));
}

void producer_core::failed(std::uint64_t call_number, const error &why) {
  batch_scope batch;
  auto node = calls_.extract(call_number);
  if (node.empty()) return;
  for (auto &p : node.mapped()->callers)
    if (p.op) finish(std::move(p.op), result<put_receipt>(why));
  flush();
  check_idle();
}

/// While the calls under way take long, who waits for the next one ends at its deadline.
void producer_core::arm() {
  if (std::exchange(armed_, true)) return;
  auto earliest = clock::time_point::max();
  for (const auto &p : waiting_)
    if (p.op) earliest = std::min(earliest, p.deadline);
  if (earliest == clock::time_point::max()) return void(armed_ = false);
  timer_.expires_at(std::max(earliest, clock::now() + std::chrono::milliseconds(10)));
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code &cancelled) {
    auto self = weak.lock();
    if (!self) return;
    self->armed_ = false;
    if (!cancelled) self->expire();
  });
}

void producer_core::expire() {
  batch_scope batch;
  const auto now = clock::now();
  for (auto &p : waiting_)
    if (p.op && p.deadline <= now) finish(std::move(p.op), result<put_receipt>(too_late()));
  std::erase_if(waiting_, [](const pending &p) { return !p.op; });
  if (!waiting_.empty()) arm();
  check_idle();
}

}  // namespace corbel::detail
