#include "postgres/pool_core.hpp"

#include "pool/ended.hpp"
#include "postgres/exchange.hpp"
#include "postgres/listen_hub.hpp"

#include <fmt/format.h>

#include <ctime>

namespace corbel::detail {

using namespace std::chrono_literals;

namespace {

/// Behind by at most this; a fifth of the price of the exact clock.
constexpr std::chrono::milliseconds coarse_resolution{4};
pg_pool_core::clock::time_point coarse_now() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return pg_pool_core::clock::time_point(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
}

struct pool_handle {
  explicit pool_handle(std::shared_ptr<pg_pool_core> c) : core(std::move(c)) {}
  ~pool_handle() {
    if (core->runtime().forked())
      leave_to_parent(core);
    else
      core->release_handle();
  }
  std::shared_ptr<pg_pool_core> core;
};

}  // namespace

std::shared_ptr<pg_pool_core> pg_pool_core::make_handle(std::shared_ptr<pg_pool_core> core) {
  auto *raw = core.get();
  return std::shared_ptr<pg_pool_core>(std::make_shared<pool_handle>(std::move(core)), raw);
}

std::shared_ptr<pg_pool_core> pg_pool_core::open(const std::shared_ptr<runtime_core> &runtime, pg_options options) {
  if (auto why = runtime->refusal()) throw failure(why);
  auto settings = pg_settings::make(std::move(options), runtime->name(), runtime->instance());
  if (!settings) throw failure(settings.error());
  auto core = std::make_shared<pg_pool_core>(runtime, std::move(*settings));
  core->build();
  core->number_ = runtime->enlist(core);
  core->ticket_base_ = runtime_core::ticket_base(core->number_);
  core->metrics_source_ = runtime->metrics().add_source([weak = std::weak_ptr(core)](metrics_writer &w) {
    if (auto c = weak.lock()) c->write_metrics(w);
  });
  runtime->health().set({.part = core->name_, .state = health_state::unknown, .reason = "connecting", .required = true});
  const auto &o = core->settings_->options;
  if (o.max_size == CORBEL_UNBOUNDED)
    runtime->log(log_level::warning, core->name_,
                 "max_size is unbounded: the server's max_connections is the only limit on connections");
  if (o.max_waiting == CORBEL_UNBOUNDED)
    runtime->log(log_level::warning, core->name_,
                 "max_waiting is unbounded: an outage may fill the memory with waiting statements");
  core->loop_->post([core] {
    batch_scope batch;
    if (!core->aborted_) core->desk_->start();
  });
  return core;
}

pg_pool_core::pg_pool_core(std::shared_ptr<runtime_core> runtime, std::shared_ptr<const pg_settings> settings)
    : runtime_(std::move(runtime)),
      loop_(runtime_->next_loop()),
      settings_(std::move(settings)),
      name_(runtime_->claim_name("postgres:" + settings_->options.kind)),
      gate_(settings_->options.max_connecting),
      sweep_(loop_->context()) {}

pg_pool_core::~pg_pool_core() {
  for (auto *r = inbox_.take(); r;) std::exchange(r, r->next)->finish(pool_freed("postgres"));
}

void pg_pool_core::build() {
  desk_ = std::make_shared<pg_desk>(loop_, settings_, counters_, runtime_->blocking(), gate_, weak_from_this(), *this);
  saturation_ = std::make_shared<saturation_watch>(
      loop_->context(),
      [weak = weak_from_this()] {
        auto self = weak.lock();
        const auto c = self ? self->desk_->counts() : ledger::counts{};
        return c.waiting != 0 && c.total() >= self->stats().max ? self->desk_->text() : std::string();
      },
      [weak = weak_from_this()](bool saturated, const std::string &counts) {
        if (auto self = weak.lock()) self->tell_saturated(saturated, counts);
      });
  hub_ = std::make_shared<pg_listen_hub>(loop_, settings_, counters_, runtime_->blocking(), gate_, *desk_,
                                         [weak = weak_from_this()](clock::time_point t) {
                                           if (auto self = weak.lock()) self->arm(t);
                                         });
}

void pg_pool_core::release_handle() noexcept {
  if (runtime_->forked() || aborted_.load(std::memory_order_acquire)) return;
  loop_->post([self = shared_from_this()] { self->abort(); });
}

error pg_pool_core::refusal() const {
  if (auto why = runtime_->refusal()) return why;
  return closing_.load(std::memory_order_acquire) ? pool_closed("postgres") : error();
}

pg_pool_core::clock::time_point pg_pool_core::deadline_of(const call &c, std::chrono::milliseconds otherwise,
                                                          clock::time_point now) const {
  const auto timeout = c.timeout == 0ms ? otherwise : c.timeout;
  return timeout < 0ms ? clock::time_point::max() : now + timeout;
}

void pg_pool_core::prepare(pg_request &r, const call &c) {
  r.since = coarse_now();
  r.deadline = deadline_of(c, settings_->options.call_timeout, r.since + coarse_resolution);  // never early
  if (!r.on_lease)
    r.may_repeat = c.idempotent || (r.statement.flags() & (pg_statement::is_idempotent | pg_statement::is_read_only)) != 0;
  if (r.cancellable()) {
    if (r.ticket == 0) r.ticket = next_ticket();
    r.on_cancel([weak = weak_from_this(), ticket = r.ticket] {
      if (auto self = weak.lock()) self->runtime_->cancel(ticket);
    });
  }
}

void pg_pool_core::query(std::unique_ptr<pg_request> r, const call &c) {
  auto why = refusal();
  if (!why) why = misplaced(r->statement, false);
  if (why) return r.release()->finish(std::move(why));
  prepare(*r, c);
  if (loop_->is_here() && inbox_.empty()) {
    arm(r->deadline);
    return desk_->submit(r.release());
  }
  if (inbox_.push(r.release())) loop_->post([self = shared_from_this()] { self->drain_inbox(); });
}

void pg_pool_core::drain_inbox() {
  batch_scope batch;
  for (auto *r = inbox_.take(); r;) {
    auto *request = std::exchange(r, r->next);
    if (aborted_.load(std::memory_order_relaxed)) {
      request->finish(pool_freed("postgres"));
      continue;
    }
    arm(request->deadline);
    desk_->submit(request);
  }
}

void pg_pool_core::query_on(const std::shared_ptr<pg_connection> &lease, std::unique_ptr<pg_request> r, const call &c) {
  auto why = refusal();
  if (!why) why = misplaced(r->statement, true);
  if (why) return r.release()->finish(std::move(why));
  r->on_lease = true;
  prepare(*r, c);
  lease->desk.given.fetch_add(1, std::memory_order_relaxed);
  lease->post_request(r.release());
}

void pg_pool_core::exchange_on(const std::shared_ptr<pg_connection> &lease, std::shared_ptr<pg_exchange> e) {
  lease->desk.given.fetch_add(1, std::memory_order_relaxed);
  loop_->post([lease, e = std::move(e)]() mutable {
    batch_scope batch;
    lease->submit(std::move(e));
  });
}

void pg_pool_core::arm(clock::time_point when) {
  if (when >= armed_) return;
  armed_ = when;
  sweep_.expires_at(when);
  sweep_.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
    auto self = weak.lock();
    if (!ec && self) self->sweep();
  });
}

void pg_pool_core::sweep() {
  if (aborted_) return;
  batch_scope batch;
  armed_ = clock::time_point::max();
  const auto now = clock::now();
  auto next = clock::time_point::max();
  desk_->expire(now, next);
  hub_->expire(now, next);
  // A time that passed while the others were looked at comes at once, but never in a loop without a pause.
  if (next != clock::time_point::max()) arm(std::max(next, now + 1ms));
}

void pg_pool_core::lease(operation_ptr<pg_lease> op, const call &c, std::uint64_t ticket) {
  if (auto why = refusal()) return finish(std::move(op), result<pg_lease>(why));
  const auto now = clock::now();
  if (op->cancellable()) {
    if (ticket == 0) ticket = next_ticket();
    op->on_cancel([weak = weak_from_this(), ticket] {
      if (auto self = weak.lock()) self->runtime_->cancel(ticket);
    });
  }
  desk_->want({std::move(op), deadline_of(c, settings_->options.acquire_timeout, now), now, ticket});
  if (!saturation_->is_looking() && desk_->counts().waiting != 0) saturation_->note();
}

std::shared_ptr<pg_connection> pg_pool_core::try_lease() noexcept { return refusal() ? nullptr : desk_->try_idle(); }

void pg_pool_core::give_back(std::shared_ptr<pg_connection> c, bool discard) noexcept {
  c->desk.lease.fetch_add(1, std::memory_order_relaxed);
  if (!runtime_->forked())
    desk_->give_back(std::move(c), discard);
  else
    leave_to_parent(std::move(c));
}

void pg_pool_core::change(const std::shared_ptr<pg_mailbox> &who, bool listen, std::string channel, operation_ptr<void> op,
                          const call &c, std::uint64_t ticket) {
  auto why = refusal();
  if (!why && (channel.empty() || channel.size() > 63 || channel.find('\0') != channel.npos))
    why = error(status::invalid, "a channel's name has 1 to 63 bytes and no NUL", "postgres", "CHANNEL");
  if (why) return finish(std::move(op), result<void>(why));
  const auto deadline = deadline_of(c, settings_->options.call_timeout, clock::now());
  if (op->cancellable()) {
    if (ticket == 0) ticket = next_ticket();
    op->on_cancel([weak = weak_from_this(), ticket] {
      if (auto self = weak.lock()) self->runtime_->cancel(ticket);
    });
  }
  loop_->post([self = shared_from_this(), who, deadline,
               c2 = pg_listen_hub::change{listen, std::move(channel), std::move(op), deadline, ticket}]() mutable {
    batch_scope batch;
    self->arm(deadline);
    self->hub_->apply(who, std::move(c2));
  });
}

void pg_pool_core::forget(const std::shared_ptr<pg_mailbox> &who) {
  if (runtime_->forked()) return;
  who->discard();
  if (aborted_.load(std::memory_order_acquire)) return;
  loop_->post([self = shared_from_this(), id = who->id] {
    batch_scope batch;
    self->hub_->forget(id);
  });
}

result<void> pg_pool_core::apply(const pg_limits &l) {
  if (auto why = refusal()) return why;
  if (auto why = check_limits(l)) return why;
  desk_->apply(l);
  runtime_->log(log_level::info, name_, fmt::format("limits are now min_size {}, max_size {}", l.min_size, l.max_size));
  return {};
}

void pg_pool_core::cancel(std::uint64_t ticket) {
  if (aborted_) return;
  batch_scope batch;
  if (!desk_->cancel(ticket)) hub_->cancel(ticket);
}

}  // namespace corbel::detail
