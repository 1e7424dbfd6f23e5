#include "base/json_string.hpp"
#include "capi/cancel_point.hpp"
#include "capi/config.hpp"
#include "capi/postgres.hpp"
#include "capi/redis_request.hpp"
#include "gateway/pools_core.hpp"

#include <corbel/pools.hpp>

#include <atomic>
#include <mutex>

using namespace corbel;
using namespace corbel::capi;

namespace {

/// The latest settings, as events.
class config_source final : public detail::event_queue::source {
 public:
  explicit config_source(std::uint64_t user) : user_(user) {}

  void put(const gateway_change &change) {
    auto load = std::make_shared<gateway_load>();
    load->reading.settings = *change.settings;
    load->reading.source = change.source;
    load->document = settings_document(*change.settings);
    std::unique_ptr<corbel_config> made(new corbel_config{std::move(load)});
    std::lock_guard lock(mutex_);
    if (!stopped_) latest_ = std::move(made);
  }
  void stop() {
    std::lock_guard lock(mutex_);
    latest_.reset();
    stopped_ = true;
  }
  bool next(corbel_event &out) noexcept override {
    std::lock_guard lock(mutex_);
    if (!latest_) return false;
    out.kind = CORBEL_EVENT_CONFIG;
    out.source = CORBEL_SOURCE_RUNTIME;
    out.user = user_;
    out.object = latest_.release();
    return true;
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<corbel_config> latest_;
  bool stopped_ = false;
  const std::uint64_t user_;
};

/// A budget under way. It ends once: by its answer, or by corbel_cancel while the servers are still asked.
class budget_call final : public detail::operation<connection_budget> {
 public:
  static detail::operation_ptr<connection_budget> make(completion to, const redis_pool &pool) {
    auto state = std::make_shared<shared>();
    state->to = std::move(to);
    state->point = cancel_point::make(pool.core()->runtime(), state->to.ticket(), pool.executor());
    state->point->slot().assign([weak = std::weak_ptr(state)](boost::asio::cancellation_type) {
      if (auto s = weak.lock()) s->end(error(status::cancelled, "the budget was cancelled", "config"));
    });
    return detail::operation_ptr<connection_budget>(new budget_call(std::move(state)));
  }
  void finish(result<connection_budget> b) noexcept override {
    state_->end(b);
    delete this;
  }

 private:
  struct shared {
    completion to;
    std::shared_ptr<cancel_point> point;
    std::atomic<bool> ended{false};

    void end(const result<connection_budget> &b) {
      if (ended.exchange(true)) return;
      if (!b) return to.fail(CORBEL_EVENT_BUDGET, b.error());
      auto json = budget_json(*b);
      json.back() = ',';
      json += " \"table\": ";
      detail::append_json_string(json, budget_table(*b));
      to.succeed(CORBEL_EVENT_BUDGET, b->is_over() ? 1 : 0, new corbel_text{json + "}"});
    }
  };
  explicit budget_call(std::shared_ptr<shared> s) : state_(std::move(s)) {}
  std::shared_ptr<shared> state_;
};

}  // namespace

struct corbel_pools {
  runtime rt;  // shares the host's
  pools value;
  std::shared_ptr<const gateway_load> load;
  std::mutex mutex = {};
  std::optional<gateway_config> followed = {};
  std::shared_ptr<config_source> notices = {};

  detail::runtime_core &core() noexcept { return *rt.core(); }
};

corbel_status corbel_pools_open(corbel_runtime *rt, const corbel_config *c, corbel_pools **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!rt || !c || !out) return invalid("the runtime, the configuration or the out-parameter is NULL");
    if (auto why = rt->core().refusal()) return why;
    *out = new corbel_pools{runtime(rt->value.core()), pools(rt->value, c->settings()), c->load};
    return {};
  });
}

corbel_status corbel_pools_redis(corbel_pools *p, const char *kind, corbel_redis **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!p || !out) return invalid("the pools or the out-parameter is NULL");
    if (auto why = p->core().refusal()) return why;
    *out = new corbel_redis{p->value.redis(text_or(kind, "")), true};
    return {};
  });
}

corbel_status corbel_pools_postgres(corbel_pools *p, corbel_pg **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!p || !out) return invalid("the pools or the out-parameter is NULL");
    if (auto why = p->core().refusal()) return why;
    *out = new corbel_pg{p->value.postgres()};
    return {};
  });
}

corbel_status corbel_pools_apply(corbel_pools *p, const corbel_config *c, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!p || !c) return invalid("the pools or the configuration is NULL");
    if (auto why = p->core().refusal()) return why;
    return p->value.apply(c->settings()).error();
  });
}

corbel_status corbel_pools_follow(corbel_pools *p, corbel_events *to, uint64_t user, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!p) return invalid("the pools are NULL");
    if (auto why = p->core().refusal()) return why;
    std::lock_guard lock(p->mutex);
    if (p->followed) return error(status::state, "the document is followed already", "config");
    auto load = *p->load;
    load.reading.settings = *p->value.settings();  // after corbel_pools_apply
    gateway_config config(p->rt, p->value.redis(), std::move(load));
    p->value.follow(config);
    if (to) {
      auto source = std::make_shared<config_source>(user);
      config.listen([source, q = std::weak_ptr(to->queue)](const gateway_change &change) {
        auto queue = q.lock();
        if (!queue) return;
        source->put(change);
        queue->notify(source);
      });
      p->notices = std::move(source);
    }
    p->followed.emplace(std::move(config));
    return {};
  });
}

corbel_status corbel_pools_budget(corbel_pools *p, uint32_t instances, const corbel_call *c, corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    if (!p) return invalid("the pools are NULL");
    if (auto why = p->core().refusal()) return why;
    completion to;
    call options;
    if (auto why = completion::read(c, 0, to, options)) return why;
    if (!to.has_queue()) return invalid("corbel_call.to is NULL: the budget needs a queue for its event");
    to.identify(p->value.redis().core()->next_ticket(), CORBEL_SOURCE_RUNTIME);
    give_ticket(t, to.ticket());
    p->value.core()->budget({.instances = instances}, options, budget_call::make(std::move(to), p->value.redis()));
    return {};
  });
}

corbel_status corbel_pools_json(corbel_pools *p, corbel_text **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!p || !out) return invalid("the pools or the out-parameter is NULL");
    if (p->core().forked()) return detail::forked_error();
    *out = new corbel_text{p->value.json()};
    return {};
  });
}

void corbel_pools_free(corbel_pools *p) {
  if (!p || p->core().forked()) return;
  if (p->notices) p->notices->stop();
  delete p;
}
