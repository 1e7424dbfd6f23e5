#include "queue/queue_metrics.hpp"

namespace corbel::detail {

namespace {
double number(std::uint64_t n) { return static_cast<double>(n); }
}  // namespace

void write_producer_metrics(metrics_writer &w, const std::string &queue, const queue_counters &c) {
  const metric_labels labels{{"queue", queue}};
  w.counter("corbel_queue_put_total", "Messages put.", labels, number(c.put.value()));
  w.counter("corbel_queue_put_repeated_total", "Messages not put because their idempotency key was known.", labels,
            number(c.repeated.value()));
  for (auto &[reason, messages] : c.refusals())
    w.counter("corbel_queue_put_refused_total", "Messages refused by admission, by its reason.",
              {{"queue", queue}, {"reason", reason}}, number(messages));
}

void write_consumer_metrics(metrics_writer &w, const std::string &queue, const queue_counters &c) {
  const metric_labels labels{{"queue", queue}};
  w.counter("corbel_queue_claimed_total", "Messages claimed.", labels, number(c.claimed.value()));
  auto settled = [&](const char *how, const single_writer_counter &n) {
    w.counter("corbel_queue_settled_total", "Messages settled while their lease was held, by how.",
              {{"queue", queue}, {"how", how}}, number(n.value()));
  };
  settled("done", c.done);
  settled("retry", c.retried);
  settled("bury", c.buried);
  settled("hand_back", c.handed_back);
  w.counter("corbel_queue_leases_lost_total", "Leases that were lost while their message was held.", labels,
            number(c.lost.value()));
  w.counter("corbel_queue_brought_back_total", "Messages of dead consumers that this process brought back.", labels,
            number(c.brought_back.value()));
  w.counter("corbel_queue_interrupted_total", "Messages of dead consumers that are not run again.", labels,
            number(c.interrupted.value()));
  w.histogram("corbel_queue_wait_seconds", "From a message's put to its claim.", labels, c.wait);
  w.histogram("corbel_queue_run_seconds", "From a message's delivery to its settlement.", labels, c.run);
  w.gauge("corbel_queue_in_hand", "Messages with handlers.", labels, c.in_hand.load(std::memory_order_relaxed));
  w.gauge("corbel_queue_buffered", "Messages claimed ahead of the handlers.", labels,
          c.buffered.load(std::memory_order_relaxed));
  w.gauge("corbel_queue_capacity", "Messages that handlers work at once.", labels,
          c.capacity.load(std::memory_order_relaxed));
}

std::string queue_label(const queue_options &options) {
  if (options.layout == queue_layout::native) return options.name;
  return options.tenant + ":" + options.project + ":kdcube:chat:prompt:queue";
}

queue_metrics::queue_metrics(runtime_core &runtime, const queue_options &options, side which,
                             std::shared_ptr<const queue_counters> counters)
    : runtime_(runtime.shared_from_this()) {
  auto write = which == side::producer ? write_producer_metrics : write_consumer_metrics;
  source_ = runtime_->metrics().add_source([write, queue = queue_label(options), counters = std::move(counters)](
                                               metrics_writer &w) { write(w, queue, *counters); });
}

queue_metrics::~queue_metrics() {
  if (!runtime_->forked()) runtime_->metrics().remove_source(source_);
}

}  // namespace corbel::detail
