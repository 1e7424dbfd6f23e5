#include "operations/otlp_exporter.hpp"

#include "runtime/runtime_core.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>

namespace corbel {

namespace asio = boost::asio;

namespace {
constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
}

struct otlp_exporter::counts {
  std::atomic<std::uint64_t> sent{0}, dropped{0}, failed{0};
};

otlp_exporter::otlp_exporter(runtime &rt, otlp_options options)
    : rt_(rt),
      options_(std::move(options)),
      client_(rt, options_.endpoint, options_.ca),
      timer_(rt.executor()),
      counts_(std::make_shared<counts>()) {
  source_ = {.service = rt.core()->name(),
             .instance = rt.core()->instance(),
             .tenant = options_.tenant,
             .project = options_.project,
             .version = "0.1.0",
             .started = std::chrono::system_clock::now()};
}

std::shared_ptr<otlp_exporter> otlp_exporter::start(runtime &rt, otlp_options options) {
  auto made = std::make_shared<otlp_exporter>(rt, std::move(options));
  rt.core()->metrics().add_source([c = made->counts_](detail::metrics_writer &to) {
    auto count = [&](const char *name, const char *help, const std::atomic<std::uint64_t> &n) {
      to.counter(name, help, {}, static_cast<double>(n.load()));
    };
    count("corbel_otlp_batches_sent_total", "Batches of metrics that a collector took.", c->sent);
    count("corbel_otlp_batches_dropped_total", "Batches that were not sent before newer ones took their place.", c->dropped);
    count("corbel_otlp_posts_failed_total", "Tries that a collector did not take.", c->failed);
  });
  asio::co_spawn(
      rt.executor(), [made] { return made->run(); }, asio::detached);
  return made;
}

void otlp_exporter::stop() {
  stopped_ = true;
  timer_.cancel();
}

asio::awaitable<void> otlp_exporter::run() {
  while (!stopped_) {
    timer_.expires_after(options_.every);
    co_await timer_.async_wait(as_value);
    if (stopped_) break;
    waiting_.push_back(otlp_metrics(rt_.core()->metrics().families(), source_, std::chrono::system_clock::now()));
    for (; waiting_.size() > options_.kept; ++counts_->dropped) waiting_.pop_front();
    while (!waiting_.empty() && !stopped_) {
      std::string why;
      const auto status = co_await client_.post(waiting_.front(), options_.timeout, why);
      const bool again = status == 0 || status == 429 || (status >= 502 && status <= 504);
      if (status / 100 == 2) ++counts_->sent;
      if (status / 100 != 2) {
        ++counts_->failed;
        rt_.log({.level = log_level::warning,
                 .part = "otlp",
                 .text = again ? "the collector did not take metrics, they are sent again" : "the collector refused metrics",
                 .fields = {{"endpoint", options_.endpoint}, {"status", std::to_string(status)}, {"why", why}}});
      }
      if (again) break;
      waiting_.pop_front();
    }
  }
}

}  // namespace corbel
