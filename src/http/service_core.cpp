#include "http/service_core.hpp"

#include "http/metrics.hpp"
#include "http/probes.hpp"
#include "http/saturation_report.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>

namespace corbel::detail {

namespace asio = boost::asio;

namespace {

std::shared_ptr<asio::ssl::context> make_tls(const http_options &o) {
  if (o.tls_cert.empty() && o.tls_key.empty()) return {};
  auto refuse = [](const char *what, const std::string &path, const boost::system::error_code &ec) {
    throw failure(error(status::invalid, fmt::format("cannot use the {} in '{}': {}", what, path, ec.message()), "http"));
  };
  if (o.tls_cert.empty() || o.tls_key.empty())
    throw failure(error(status::invalid, "tls_cert and tls_key belong together: give both or none", "http"));
  auto tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  boost::system::error_code ec;
  tls->set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1 | asio::ssl::context::no_compression, ec);
  if (tls->use_certificate_chain_file(o.tls_cert, ec)) refuse("certificate", o.tls_cert, ec);
  if (tls->use_private_key_file(o.tls_key, asio::ssl::context::pem, ec)) refuse("key", o.tls_key, ec);
  if (::SSL_CTX_check_private_key(tls->native_handle()) != 1)
    throw failure(error(status::invalid,
                        fmt::format("the key in '{}' is not that of the certificate in '{}'", o.tls_key, o.tls_cert),
                        "http"));
  return tls;
}

}  // namespace

http_service_core::http_service_core(std::shared_ptr<runtime_core> rt, http_options options)
    : runtime_(std::move(rt)),
      loop_(runtime_->first_loop()),
      options_(std::move(options)),
      name_(runtime_->claim_name("http")),
      server_(loop_->executor(), first_routes(), options_.limits, [core = std::weak_ptr(runtime_)](const log_line &line) {
        if (auto c = core.lock(); c && c->log().enabled(line.level)) c->log().write(line);
      }) {}

http_router http_service_core::first_routes() {
  http_router routes;
  const corbel::runtime handle(runtime_);
  add_probe_routes(routes, handle);
  add_table_routes(routes, handle);
  for (auto path : {"/livez", "/readyz", "/health", "/metrics"}) taken_.emplace("GET", path);
  return routes;
}

std::shared_ptr<http_service_core> http_service_core::open(const std::shared_ptr<runtime_core> &rt, http_options options) {
  if (auto why = rt->refusal()) throw failure(why);
  auto tls = make_tls(options);
  auto core = std::make_shared<http_service_core>(rt, std::move(options));
  if (tls) core->server_.use_tls(std::move(tls));
  core->number_ = rt->enlist(core);
  report_saturation(core->server_, rt, core->name_);
  auto port = core->server_.listen(core->options_.address, core->options_.port, core->options_.share_port);
  if (!port) throw failure(port.error());
  core->port_ = *port;
  core->metrics_source_ = rt->metrics().add_source([weak = std::weak_ptr(core)](metrics_writer &to) {
    if (auto c = weak.lock()) write_metrics(to, c->server_.stats());
  });
  rt->watch_lag();
  rt->log(log_level::info, "http", fmt::format("listening on {} port {}", core->options_.address, *port),
          {{"port", std::to_string(*port)}});
  return core;
}

http_service_core::~http_service_core() {
  if (runtime_->forked()) return;
  if (metrics_source_ != 0) runtime_->metrics().remove_source(metrics_source_);
  if (number_ != 0) runtime_->delist(number_);
  runtime_->health().remove(name_);
  runtime_->free_name(name_);
}

result<void> http_service_core::route(const std::string &method, const std::string &path, http_handler handler) {
  if (auto why = runtime_->refusal()) return why;
  if (method.empty() || !path.starts_with('/'))
    return error(status::invalid,
                 fmt::format("'{} {}' is no route: give a method, and a path that begins with /", method, path), "http");
  {
    std::lock_guard lock(mutex_);
    if (!taken_.emplace(method, path).second)
      return error(status::invalid, fmt::format("the route {} {} is there already", method, path), "http");
  }
  loop_->post([self = shared_from_this(), method, path, h = std::move(handler)]() mutable {
    self->server_.add_route(method, path, {.handler = std::move(h), .while_draining = true});
  });
  return {};
}

void http_service_core::stop(std::chrono::milliseconds timeout, operation_ptr<std::size_t> op) {
  auto shared = std::make_shared<operation_ptr<std::size_t>>(std::move(op));
  loop_->post([self = shared_from_this(), timeout, shared] {
    asio::co_spawn(
        self->loop_->executor(), self->server_.stop(timeout),
        [self, shared](std::exception_ptr, std::size_t cut) { finish(std::move(*shared), result<std::size_t>(cut)); });
  });
}

void http_service_core::close() {
  if (closed_) return;  // by the shutdown: its loop may have ended, and would keep what waits in it
  loop_->post([self = shared_from_this()] { self->abort(); });
}

std::string http_service_core::left() const {
  const auto n = server_.under_way();
  return n == 0 ? "" : fmt::format("http server on port {} ({} requests)", port_, n);
}

void http_service_core::drain(std::function<void()> idle) {
  asio::co_spawn(loop_->executor(), server_.stop(std::chrono::hours(24)),
                 [self = shared_from_this(), idle = std::move(idle)](std::exception_ptr, std::size_t) { idle(); });
}

void http_service_core::abort() {
  closed_ = true;
  server_.close();
}

}  // namespace corbel::detail
