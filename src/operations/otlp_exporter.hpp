#pragma once
/// Sends a runtime's metrics to an OpenTelemetry collector, over OTLP/HTTP as JSON. Never in anybody's way: what cannot be
/// sent is kept up to a bound, the oldest goes first, and is counted. Threads: the runtime's executor.

#include "operations/otlp_body.hpp"
#include "operations/otlp_client.hpp"

#include <corbel/runtime.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <memory>

namespace corbel {

struct otlp_options {
  std::string endpoint;                      ///< "http://collector:4318" or https; /v1/metrics is appended to it
  std::string ca = {};                       ///< PEM file of the authorities that are trusted; empty: the system's
  std::chrono::milliseconds every{10'000};   ///< between two batches
  std::chrono::milliseconds timeout{5'000};  ///< of a POST
  std::size_t kept = 12;                     ///< batches that wait
  std::string tenant = "home", project = "default-project";
};

class otlp_exporter : public std::enable_shared_from_this<otlp_exporter> {
 public:
  /// Throws failure when the endpoint is no URL of http or https, or the authorities cannot be read.
  static std::shared_ptr<otlp_exporter> start(runtime &rt, otlp_options options);
  otlp_exporter(runtime &rt, otlp_options options);
  void stop();

 private:
  boost::asio::awaitable<void> run();

  runtime &rt_;
  const otlp_options options_;
  otlp_client client_;
  otlp_source source_;
  boost::asio::steady_timer timer_;
  std::deque<std::string> waiting_;
  bool stopped_ = false;
  struct counts;
  std::shared_ptr<counts> counts_;
};

}  // namespace corbel
