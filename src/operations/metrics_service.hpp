#pragma once
/// The platform's metrics service: reads the fleet out of Redis every other second, and shows what it read last.
///
///  - GET /metrics/ingress/system, /metrics/proc/system: the whole body; /metrics/combined: {timestamp, mode, system}
///  - GET /metrics: kdcube_... scalars and what this process counts; GET /metrics/export: {status, ts}
///  - POST /api/events/client: a client's log line or metric, logged
///  - GET /: a page for people; GET /monitoring/system, where it is added to another host
///
/// Threads: the executor of its redis pool's runtime, where its routes run too.

#include "http/router.hpp"
#include "operations/system_body.hpp"
#include "operations/system_reader.hpp"
#include "operations/token_guard.hpp"

#include <corbel/health.hpp>

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>

namespace corbel {

class metrics_service : public std::enable_shared_from_this<metrics_service> {
 public:
  using settings_function = std::function<std::shared_ptr<const gateway_settings>()>;

  metrics_service(runtime &rt, system_reader reader, settings_function settings);

  /// Begins to read. every: between two readings.
  void start(std::chrono::milliseconds every = std::chrono::seconds(2));
  void stop();

  /// All routes but /metrics, /health and the probes.
  void add_routes(http_router &router);
  /// GET /monitoring/system, which reads by itself what is older than two seconds; nothing without a token.
  void add_monitoring_route(http_router &router, const token_guard &guard);
  /// The platform's scalars.
  void write_metrics(detail::metrics_writer &to) const;

 private:
  boost::asio::awaitable<void> read();
  boost::asio::awaitable<void> read_once();
  std::string body() const { return system_body(view_, *settings_(), history_); }
  http_response client_event(const http_request &request);

  runtime &rt_;
  const system_reader reader_;
  const settings_function settings_;
  boost::asio::steady_timer timer_;
  std::chrono::milliseconds every_{2000};
  bool stopped_ = false;
  system_view view_;
  system_history history_;
};

}  // namespace corbel
