// The public face of a process' pools, and their statistics in the platform's shape.
#include "gateway/pools_core.hpp"
#include "json/writer.hpp"

#include <algorithm>

namespace corbel {

namespace detail {

namespace {

void write_redis(json_writer &w, const redis_pool &pool) {
  const auto s = pool.stats();
  // What the platform tells where there is no cap.
  const std::uint32_t most = s.max == unbounded ? 2147483648u : s.max;
  w.begin_object().member("max_connections", most).member("in_use", s.open - std::min(s.open, s.idle));
  w.member("available", s.idle).member("total", s.open).member("waiting", s.waiting).member("waits", s.waits);
  w.member("wait_seconds", static_cast<double>(s.waited_ms) / 1000).member("refused", s.refused).end_object();
}

}  // namespace

std::string pools_core::json() const {
  std::string out;
  json_writer w(out);
  w.begin_object().key("postgres");
  if (auto pg = opened_postgres()) {
    const auto s = pg->stats();
    w.begin_object().member("min_size", s.min).member("max_size", s.max).member("size", s.open);
    w.member("available", s.idle).member("in_use", s.open - std::min(s.open, s.idle)).member("waiting", s.waiting);
    w.member("waits", s.waits).member("wait_seconds", static_cast<double>(s.waited_ms) / 1000);
    w.member("refused", s.refused).end_object();
  } else {
    w.value(nullptr);
  }
  w.key("redis").begin_object();
  for (const char *kind : {"async", "async_decode", "sync"}) {
    w.key(kind);
    auto at = std::find(kinds_.begin(), kinds_.end(), std::string_view(kind));
    if (at == kinds_.end())
      w.value(nullptr);
    else
      write_redis(w, redis_[static_cast<std::size_t>(at - kinds_.begin())]);
  }
  w.end_object().end_object();
  return out;
}

}  // namespace detail

pools::pools(runtime &rt, const gateway_settings &settings, pools_options options)
    : core_(std::make_shared<detail::pools_core>(rt, settings, std::move(options))) {}

redis_pool pools::redis(std::string_view kind) const { return core_->redis(kind); }
pg_pool pools::postgres() const { return core_->postgres(); }
result<void> pools::apply(const gateway_settings &settings) { return core_->apply(settings); }
void pools::follow(gateway_config &config) { core_->follow(config); }
std::shared_ptr<const gateway_settings> pools::settings() const { return core_->settings(); }
std::string pools::json() const { return core_->json(); }
detail::io_executor pools::executor() const { return core_->executor(); }
void pools::start_budget(budget_request request, call c, detail::operation_ptr<connection_budget> op) const {
  core_->budget(std::move(request), c, std::move(op));
}

}  // namespace corbel
