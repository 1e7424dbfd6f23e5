#include "redis/pool_core.hpp"

#include "pool/ended.hpp"

#include <fmt/format.h>

#include <ctime>

namespace corbel::detail {

using namespace std::chrono_literals;

namespace {
/// Behind by at most its resolution, which is added: no deadline comes early. A fifth of the price of the exact clock, once
/// per command.
redis_pool_core::clock::time_point coarse_now() noexcept {
  constexpr std::chrono::milliseconds resolution{4};
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return redis_pool_core::clock::time_point(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec) +
                                            resolution);
}

}  // namespace

std::shared_ptr<redis_pool_core> redis_pool_core::open(const std::shared_ptr<runtime_core> &runtime, redis_options options) {
  if (auto why = runtime->refusal()) throw failure(why);
  auto settings = redis_settings::make(std::move(options), runtime->name(), runtime->instance());
  if (!settings) throw failure(settings.error());
  auto core = std::make_shared<redis_pool_core>(runtime, std::move(*settings));
  core->build();
  core->number_ = runtime->enlist(core);
  core->ticket_base_ = runtime_core::ticket_base(core->number_);
  core->metrics_source_ = runtime->metrics().add_source([weak = std::weak_ptr(core)](metrics_writer &w) {
    if (auto c = weak.lock()) c->write_metrics(w);
  });
  core->runtime_->health().set(
      {.part = core->name_, .state = health_state::unknown, .reason = "connecting", .required = true});
  if (core->settings_->options.max_size == unbounded)
    runtime->log(log_level::warning, core->name_,
                 "max_size is unbounded: the server's maxclients is the only limit on connections");
  if (core->settings_->options.max_waiting == unbounded)
    runtime->log(log_level::warning, core->name_,
                 "max_waiting is unbounded: an outage may fill the memory with waiting commands");
  core->loop_->post([core] {
    batch_scope batch;
    if (!core->aborted_) core->add_pipeline();
  });
  return core;
}

redis_pool_core::redis_pool_core(std::shared_ptr<runtime_core> runtime, std::shared_ptr<const redis_settings> settings)
    : runtime_(std::move(runtime)),
      loop_(runtime_->next_loop()),
      settings_(std::move(settings)),
      name_(runtime_->claim_name("redis:" + settings_->options.kind)),
      gate_(settings_->options.max_connecting),
      link_(std::make_shared<redis_link>(loop_, runtime_->listeners())),
      sweep_(loop_->context()),
      retire_(loop_->context()),
      shrink_(loop_->context()) {}

redis_pool_core::~redis_pool_core() {
  for (auto *r = inbox_.take(); r;) std::exchange(r, r->next)->finish(pool_freed("redis"));
}

void redis_pool_core::build() {
  auto weak = weak_from_this();
  desk_ = std::make_shared<lease_desk>(loop_, settings_, counters_, gate_, weak, [weak](clock::time_point t) {
    if (auto self = weak.lock()) self->arm(t);
  });
  subscriber_ = std::make_shared<redis_subscriber>(loop_, settings_, counters_, gate_, *desk_,
                                                   [link = link_] { link->resubscribed(); });
  saturation_ = std::make_shared<saturation_watch>(
      loop_->context(),
      [weak] {
        auto self = weak.lock();
        const auto c = self ? self->desk_->counts() : ledger::counts{};
        return c.waiting != 0 && c.total() >= self->stats().max ? self->desk_->text() : std::string();
      },
      [weak](bool saturated, const std::string &counts) {
        if (auto self = weak.lock()) self->tell_saturated(saturated, counts);
      });
}

void redis_pool_core::release_handle() noexcept {
  if (runtime_->forked() || aborted_.load(std::memory_order_acquire)) return;
  loop_->post([self = shared_from_this()] { self->abort(); });
}

error redis_pool_core::refusal() const {
  if (auto why = runtime_->refusal()) return why;
  return closing_.load(std::memory_order_acquire) ? pool_closed("redis") : error();
}

redis_pool_core::clock::time_point redis_pool_core::deadline_of(const call &c, clock::time_point now) const {
  const auto timeout = c.timeout == 0ms ? settings_->options.call_timeout : c.timeout;
  return timeout < 0ms ? clock::time_point::max() : now + timeout;
}

void redis_pool_core::prepare(redis_request &r, const call &c, clock::time_point now) {
  r.deadline = deadline_of(c, now);
  r.budget = r.deadline == clock::time_point::max() ? clock::duration::zero() : r.deadline - now;
  r.idempotent = c.idempotent;
  if (r.cancellable()) {
    if (r.ticket == 0) r.ticket = next_ticket();
    r.on_cancel([weak = weak_from_this(), ticket = r.ticket] {
      if (auto self = weak.lock()) self->runtime_->cancel(ticket);
    });
  }
}

redis_pool_core::clock::time_point redis_pool_core::first_look(const redis_request &r) noexcept {
  return r.idempotent ? r.deadline - r.budget / 2 : r.deadline;
}

void redis_pool_core::send(std::unique_ptr<redis_request> r, const call &c) {
  auto why = refusal();
  if (!why) why = misplaced(r->command, false);
  if (why) return r.release()->finish(std::move(why));
  hand_over(std::move(r), c);
}

void redis_pool_core::hand_over(std::unique_ptr<redis_request> r, const call &c) {
  prepare(*r, c, coarse_now());
  if (loop_->is_here() && inbox_.empty() && !pipelines_.empty()) {
    arm(first_look(*r));
    return route(r.release());
  }
  if (inbox_.push(r.release())) loop_->post([self = shared_from_this()] { self->drain_inbox(); });
}

void redis_pool_core::send_all(redis_request *newest, const call &c) {
  const auto refused = refusal();
  const auto now = coarse_now();
  redis_request *first = nullptr, *last = nullptr;
  while (newest) {
    auto *r = std::exchange(newest, newest->next);
    auto why = refused;
    if (!why) why = misplaced(r->command, false);
    if (why) {
      r->finish(std::move(why));
      continue;
    }
    prepare(*r, c, now);
    (last ? last->next : first) = r;
    last = r;
  }
  if (first && inbox_.push(first, last)) loop_->post([self = shared_from_this()] { self->drain_inbox(); });
}

void redis_pool_core::send_on(const std::shared_ptr<redis_connection> &lease, std::unique_ptr<redis_request> r,
                              const call &c) {
  auto why = refusal();
  if (!why) why = misplaced(r->command, true);
  if (why) return r.release()->finish(std::move(why));
  prepare(*r, c, coarse_now());
  r->idempotent = false;
  lease->lease.note(r->command);
  ++lease->lease.sent;
  lease->post_request(r.release());
}

void redis_pool_core::drain_inbox() {
  batch_scope batch;
  auto *all = inbox_.take();
  std::size_t count = 0;
  for (auto *r = all; r; r = r->next) ++count;
  for (auto &p : pipelines_) p->expect(count);
  for (auto *r = all; r;) {
    auto *request = std::exchange(r, r->next);
    arm(first_look(*request));
    route(request);
  }
  for (auto &p : pipelines_) p->expect(0);
}

void redis_pool_core::route(redis_request *r, const redis_pipeline *avoid) {
  if (pipelines_.empty()) return r->finish(aborted_ ? pool_freed("redis") : pool_closed("redis"));
  redis_pipeline *best = nullptr;
  for (auto &p : pipelines_) {
    if (p.get() == avoid || (p != pipelines_.front() && p == pipelines_.back() && shrinking_)) continue;
    if (p->is_up() && p->unanswered() < busy_unanswered && p->unsent_bytes() < busy_unsent) return p->submit(r);
    if (p->is_up() && (!best || p->unanswered() < best->unanswered())) best = p.get();
  }
  if (best || avoid) {  // all that are up are busy: one more helps this and the next ones
    const bool connecting = pipelines_.size() > 1 && !pipelines_.back()->is_up();
    auto *added = connecting ? pipelines_.back().get() : add_pipeline();
    if (!best && added && added != avoid) best = added;
  }
  (best ? best : pipelines_.front().get())->submit(r);
}

bool redis_pool_core::is_up() const noexcept {
  return std::any_of(pipelines_.begin(), pipelines_.end(), [](const auto &p) { return p->is_up(); });
}

redis_pipeline *redis_pool_core::add_pipeline() {
  if (!desk_->add_pipeline()) return nullptr;
  auto p = std::make_shared<redis_pipeline>(loop_, settings_, counters_, gate_, *this);
  pipelines_.push_back(p);
  if (pipelines_.size() == 2) retire_idle_pipelines();
  apply_watch();
  p->start();
  return p.get();
}

void redis_pool_core::retire_idle_pipelines() {
  const auto limit = settings_->options.idle_limit;
  if (limit <= 0ms || aborted_) return;
  retire_.expires_after(std::max<std::chrono::milliseconds>(limit, 1s));
  retire_.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
    auto self = weak.lock();
    if (ec || !self || self->aborted_) return;
    self->retire_one_pipeline();
    if (self->pipelines_.size() > 1) self->retire_idle_pipelines();
  });
}

void redis_pool_core::retire_one_pipeline() {
  if (pipelines_.size() < 2 || pipelines_.back()->under_way() != 0) return;
  auto p = std::move(pipelines_.back());
  pipelines_.pop_back();
  p->stop(error(status::cancelled, "the pipeline was retired", "redis"));
  desk_->pipeline_gone();
}

void redis_pool_core::arm(clock::time_point when) {
  if (when >= armed_) return;
  armed_ = when;
  sweep_.expires_at(when);
  sweep_.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
    auto self = weak.lock();
    if (!ec && self) self->sweep();
  });
}

void redis_pool_core::sweep() {
  if (aborted_) return;
  batch_scope batch;
  armed_ = clock::time_point::max();
  const auto now = clock::now();
  auto next = clock::time_point::max();
  for (std::size_t i = 0; i < pipelines_.size(); ++i) std::shared_ptr(pipelines_[i])->expire(now, next);
  desk_->expire(now, next);
  subscriber_->expire(now, next);
  // A time that passed while the others were looked at comes at once, but never in a loop without a pause.
  if (next != clock::time_point::max()) arm(std::max(next, now + 1ms));
}

void redis_pool_core::lease(operation_ptr<redis_lease> op, const call &c, std::uint64_t ticket) {
  if (auto why = refusal()) return finish(std::move(op), result<redis_lease>(why));
  const auto now = clock::now();
  if (op->cancellable()) {
    if (ticket == 0) ticket = next_ticket();
    op->on_cancel([weak = weak_from_this(), ticket] {
      if (auto self = weak.lock()) self->runtime_->cancel(ticket);
    });
  }
  desk_->want({std::move(op), deadline_of(c, now), now, ticket});
  if (!saturation_->is_looking() && desk_->counts().waiting != 0) saturation_->note();
}

std::shared_ptr<redis_connection> redis_pool_core::try_lease() noexcept { return refusal() ? nullptr : desk_->try_idle(); }

void redis_pool_core::change(const std::shared_ptr<redis_mailbox> &reader, redis_subscription::change what, std::string name,
                             operation_ptr<bool> op, const call &c, std::uint64_t ticket) {
  if (auto why = refusal()) return finish(std::move(op), result<bool>(why));
  const auto deadline = deadline_of(c, clock::now());
  if (op->cancellable()) {
    if (ticket == 0) ticket = next_ticket();
    op->on_cancel([weak = weak_from_this(), ticket] {
      if (auto self = weak.lock()) self->runtime_->cancel(ticket);
    });
  }
  loop_->post([self = shared_from_this(), reader, deadline,
               c = redis_subscriber::change{what, std::move(name), std::move(op), deadline, ticket}]() mutable {
    batch_scope batch;
    self->arm(deadline);
    self->subscriber_->apply(reader, std::move(c));
  });
}

void redis_pool_core::forget(const std::shared_ptr<redis_mailbox> &reader) {
  if (runtime_->forked()) return;
  reader->discard();
  if (aborted_.load(std::memory_order_acquire)) return;
  loop_->post([self = shared_from_this(), id = reader->id] {
    batch_scope batch;
    self->subscriber_->forget(id);
  });
}

void redis_pool_core::cancel(std::uint64_t ticket) {
  if (aborted_) return;
  batch_scope batch;
  for (std::size_t i = 0; i < pipelines_.size(); ++i)
    if (std::shared_ptr(pipelines_[i])->cancel(ticket)) return;
  if (desk_->cancel(ticket)) return;
  subscriber_->cancel(ticket);
}

}  // namespace corbel::detail
