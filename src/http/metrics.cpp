#include "http/metrics.hpp"

#include <array>
#include <iterator>

namespace corbel {

void write_metrics(detail::metrics_writer &to, const http_stats &s) {
  auto count = [&](const char *name, const char *help, std::uint64_t n) {
    to.counter(name, help, {}, static_cast<double>(n));
  };
  count("corbel_http_connections_total", "Connections accepted.", s.accepted);
  count("corbel_http_connections_refused_total", "Connections over the limit, told so and closed.", s.refused);
  count("corbel_http_requests_total", "Requests read whole.", s.requests);
  count("corbel_http_malformed_total", "Requests refused before a handler saw them.", s.malformed);
  count("corbel_http_timed_out_total", "Clients too slow to send a request or to take a response.", s.timed_out);
  count("corbel_http_failed_total", "Requests whose handler failed.", s.failed);
  auto answered = [&](const char *code, std::uint64_t n) {
    to.counter("corbel_http_responses_total",
               "Answers by their status; 499: the client was gone before its answer was ready.", {{"code", code}},
               static_cast<double>(n));
  };
  for (std::size_t i = 0; i < std::size(s.answered); ++i) answered(std::array{"2xx", "3xx", "4xx", "5xx"}[i], s.answered[i]);
  answered("499", s.gone);
  to.histogram("corbel_http_request_seconds", "From a request to its answer, without probes.", {}, *s.took);
  count("corbel_http_frames_dropped_total", "Frames that slow clients lost, of streams that have ended.", s.frames_dropped);
  to.gauge("corbel_http_connections", "Connections open now.", {}, static_cast<double>(s.connections));
  to.gauge("corbel_http_streams", "Event streams open now.", {}, static_cast<double>(s.streams));
}

}  // namespace corbel
