#include "operations/otlp_exporter.hpp"

#include "io/resolve.hpp"
#include "runtime/runtime_core.hpp"

#include <corbel/c/base.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>

#include <atomic>

namespace corbel {

namespace asio = boost::asio;
namespace beast = boost::beast;

namespace {
constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
}

struct otlp_exporter::counts {
  std::atomic<std::uint64_t> sent{0}, dropped{0}, failed{0};
};

otlp_exporter::otlp_exporter(runtime &rt, otlp_options options)
    : rt_(rt), options_(std::move(options)), timer_(rt.executor()), counts_(std::make_shared<counts>()) {
  auto parsed = boost::urls::parse_uri(options_.endpoint);
  if (!parsed || parsed->scheme() != "http" || parsed->host().empty())
    throw failure(error(status::invalid,
                        fmt::format("'{}' is no endpoint of OTLP: give http://host:port", options_.endpoint), "otlp"));
  host_ = parsed->host_address();
  if (parsed->port_number() != 0) port_ = parsed->port_number();
  path_ = parsed->encoded_path();
  while (path_.ends_with('/')) path_.pop_back();
  if (!path_.ends_with("/v1/metrics")) path_ += "/v1/metrics";
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

asio::awaitable<unsigned> otlp_exporter::post(const std::string &body, std::string &why) {
  const auto end = std::chrono::steady_clock::now() + options_.timeout;
  asio::steady_timer resolved(rt_.executor(), end);
  auto found =
      std::make_shared<result<detail::resolution::addresses>>(error(status::timeout, "the host was not found in time"));
  auto resolution = detail::resolution::start(rt_.core()->first_loop(), host_, port_, [&resolved, found](auto r) {
    *found = std::move(r);
    resolved.expires_at(std::chrono::steady_clock::time_point::min());
  });
  co_await resolved.async_wait(as_value);
  resolution.reset();
  if (!*found) {
    why = found->error().message();
    co_return 0;
  }
  beast::tcp_stream stream(rt_.executor());
  stream.expires_at(end);
  auto [not_connected, endpoint] = co_await stream.async_connect(**found, as_value);
  if (not_connected) {
    why = not_connected.message();
    co_return 0;
  }
  beast::http::request<beast::http::string_body> request(beast::http::verb::post, path_, 11, body);
  request.set(beast::http::field::host, host_);
  request.set(beast::http::field::content_type, "application/json");
  request.set(beast::http::field::connection, "close");
  request.prepare_payload();
  auto [not_written, written] = co_await beast::http::async_write(stream, request, as_value);
  beast::flat_buffer buffer;
  beast::http::response_parser<beast::http::string_body> parser;
  parser.body_limit(1 << 20);
  auto [not_read, read] = co_await beast::http::async_read(stream, buffer, parser, as_value);
  if (not_read) {
    why = (not_written ? not_written : not_read).message();
    co_return 0;
  }
  why = std::string(parser.get().reason());
  co_return parser.get().result_int();
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
      const auto status = co_await post(waiting_.front(), why);
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
