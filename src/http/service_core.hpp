#pragma once
/// Owns: the server behind an http_service, as a component of its runtime, whose shutdown completes its requests. Callers:
/// http_service and the C API. Threads: any, unless a member says otherwise.

#include "http/server.hpp"
#include "io/component.hpp"
#include "runtime/runtime_core.hpp"

#include <corbel/http.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace corbel::detail {

class http_service_core final : public component, public std::enable_shared_from_this<http_service_core> {
 public:
  /// Throws failure.
  static std::shared_ptr<http_service_core> open(const std::shared_ptr<runtime_core> &rt, http_options options);
  http_service_core(std::shared_ptr<runtime_core> rt, http_options options);
  ~http_service_core() override;

  runtime_core &runtime() noexcept { return *runtime_; }
  io_executor executor() noexcept { return loop_->executor(); }
  std::uint16_t port() const noexcept { return port_; }
  std::uint64_t next_ticket() noexcept { return runtime_core::ticket_base(number_) | ++last_ticket_; }

  result<void> route(const std::string &method, const std::string &path, http_handler handler);
  void stop(std::chrono::milliseconds timeout, operation_ptr<std::size_t> op);
  /// The handle is gone: everything is closed.
  void close();

  loop &home() noexcept override { return *loop_; }
  std::string left() const override;
  void drain(std::function<void()> idle) override;
  void abort() override;
  void cancel(std::uint64_t) override {}

 private:
  http_router first_routes();

  const std::shared_ptr<runtime_core> runtime_;
  const std::shared_ptr<loop> loop_;
  const http_options options_;
  const std::string name_;  // of the part of health
  std::uint64_t number_ = 0, metrics_source_ = 0;
  std::atomic<std::uint64_t> last_ticket_{0};
  std::uint16_t port_ = 0;
  std::atomic<bool> closed_{false};
  std::mutex mutex_;
  std::set<std::pair<std::string, std::string>> taken_;  // under the mutex
  http_server server_;                                   // on the loop
};

}  // namespace corbel::detail
