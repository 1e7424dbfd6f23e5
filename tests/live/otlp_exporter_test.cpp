/// Metrics on their way to a collector, over http and https: what arrives, and whom nothing is sent to.

#include "operations/otlp_exporter.hpp"

#include "http/server.hpp"
#include "support/certificates.hpp"
#include "support/log_lines.hpp"
#include "support/until.hpp"

#include <corbel/metrics.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// Takes what is posted, and answers with a status.
class collector {
 public:
  explicit collector(const certificates *tls = nullptr) : server_(context_.get_executor(), routes()) {
    if (tls) {
      auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
      context->use_certificate_chain_file(tls->cert);
      context->use_private_key_file(tls->key, asio::ssl::context::pem);
      server_.use_tls(std::move(context));
    }
    port = server_.listen("127.0.0.1", 0).value();
    thread_ = std::thread([this] { context_.run(); });
  }
  ~collector() {
    asio::post(context_, [this] {
      server_.close();
      work_.reset();
    });
    thread_.join();
  }
  std::vector<std::string> bodies() const {
    std::lock_guard lock(mutex_);
    return bodies_;
  }

  std::uint16_t port = 0;
  std::atomic<unsigned> status{200};

 private:
  http_router routes() {
    http_router r;
    r.add("POST", "/v1/metrics", {.handler = [this](const http_request &q) -> asio::awaitable<http_response> {
            std::lock_guard lock(mutex_);
            bodies_.push_back(q.body);
            co_return http_response{.status = status, .body = "{}"};
          }});
    return r;
  }

  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  http_server server_;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::vector<std::string> bodies_;
};

/// A runtime that exports every 20 ms.
struct exporting {
  explicit exporting(std::string endpoint, std::string ca = {})
      : exporter(otlp_exporter::start(rt, {.endpoint = std::move(endpoint), .ca = std::move(ca), .every = 20ms})) {}
  ~exporting() {
    asio::post(rt.executor(), asio::use_future([this] {
                 exporter->stop();
                 return 0;
               }))
        .get();
    CHECK(rt.shutdown(10s));
  }
  std::string value(const std::string &metric) const {
    const auto text = rt.metrics_text();
    const auto at = text.find("\n" + metric + " ");
    if (at == text.npos) return "none";
    const auto begin = at + metric.size() + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
  }

  log_lines log;
  runtime rt{{.log = log.collector()}};
  std::shared_ptr<otlp_exporter> exporter;
};

std::string localhost(const char *scheme, std::uint16_t port) {
  return std::string(scheme) + "://localhost:" + std::to_string(port);
}

}  // namespace

TEST_CASE("a host's own metrics come to the collector, over https whose certificate is trusted") {
  temp_dir dir;
  const auto tls = make_certificates(dir);
  collector c(&tls);
  exporting e(localhost("https", c.port), tls.ca);
  counter(e.rt, {.name = "mails_total", .labels = {{"list", "weekly"}}}).add(3);
  histogram(e.rt, {.name = "mail_bytes", .bounds = {10, 100}}).record(50);
  CHECK(until(20s, [&] {
    const auto all = c.bodies();
    return !all.empty() && all.back().find("\"mails_total\"") != std::string::npos &&
           all.back().find("\"explicitBounds\": [10") != std::string::npos;
  }));
  CHECK(until(20s, [&] { return e.value("corbel_otlp_batches_sent_total") != "0"; }));
}

TEST_CASE("nothing is sent to who cannot prove its name: an unknown authority, and another name") {
  temp_dir dir, other_dir, third_dir;
  const auto tls = make_certificates(dir), other = make_certificates(other_dir);
  const auto elsewhere = make_certificates(third_dir, "DNS:elsewhere");
  collector c(&tls), d(&elsewhere);
  for (auto &[port, ca] : {std::pair(c.port, other.ca), {d.port, elsewhere.ca}}) {
    exporting e(localhost("https", port), ca);
    CHECK(until(20s, [&] { return e.log.count("certificate verify failed", log_level::warning, "otlp") >= 2; }));
    CHECK(e.value("corbel_otlp_batches_sent_total") == "0");
  }
  CHECK(c.bodies().empty());
  CHECK(d.bodies().empty());
}

TEST_CASE("a collector that is down, busy or says no") {
  collector c;
  c.status = 503;
  exporting e(localhost("http", c.port));
  CHECK(until(20s, [&] { return c.bodies().size() >= 3; }));
  CHECK(c.bodies()[0] == c.bodies()[1]);  // the same batch again
  c.status = 200;
  CHECK(until(20s, [&] { return e.value("corbel_otlp_batches_sent_total") != "0"; }));
  c.status = 400;
  CHECK(until(20s, [&] { return e.log.count("the collector refused metrics", log_level::warning) >= 1; }));

  exporting nobody("http://127.0.0.1:1");
  CHECK(until(20s, [&] { return nobody.value("corbel_otlp_batches_dropped_total") != "0"; }));
}

TEST_CASE("what is no endpoint, and what holds no authority") {
  runtime rt({.level = log_level::off});
  for (auto endpoint : {"", "collector:4318", "ftp://collector", "https://"})
    CHECK_THROWS_AS(otlp_exporter::start(rt, {.endpoint = endpoint}), failure);
  CHECK_THROWS_AS(otlp_exporter::start(rt, {.endpoint = "https://collector", .ca = "/nonexistent.pem"}), failure);
}
