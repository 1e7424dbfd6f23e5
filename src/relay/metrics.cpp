#include "relay/metrics.hpp"

namespace corbel {

void write_metrics(detail::metrics_writer &to, const relay_stats &s) {
  auto count = [&](const char *name, const char *help, std::uint64_t n) {
    to.counter(name, help, {}, static_cast<double>(n));
  };
  count("corbel_relay_delivered_total", "Frames given to streams.", s.delivered);
  count("corbel_relay_duplicates_total", "Copies of messages that were not delivered again.", s.duplicates);
  count("corbel_relay_recovered_total", "Messages that only the recent list had.", s.recovered);
  count("corbel_relay_unreachable_total", "Messages for one stream that was not open here.", s.unreachable);
  count("corbel_relay_malformed_total", "Messages that could not be read.", s.malformed);
  to.gauge("corbel_relay_sessions", "Sessions with open streams now.", {}, static_cast<double>(s.rooms));
}

}  // namespace corbel
