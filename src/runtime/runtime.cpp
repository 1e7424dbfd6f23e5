#include "runtime/runtime_core.hpp"

#include <corbel/runtime.hpp>

namespace corbel {

runtime::runtime(runtime_options options) : core_(detail::runtime_core::open(std::move(options), nullptr)) {}

runtime::runtime(boost::asio::io_context &host, runtime_options options)
    : core_(detail::runtime_core::open(std::move(options), &host)) {}

runtime::runtime(std::shared_ptr<detail::runtime_core> core) noexcept : core_(std::move(core)) {}

runtime::~runtime() = default;
runtime::runtime(runtime &&) noexcept = default;
runtime &runtime::operator=(runtime &&) noexcept = default;

result<void> runtime::shutdown(std::chrono::milliseconds timeout) { return core_->shutdown(timeout); }

void runtime::start_shutdown(std::chrono::milliseconds timeout, detail::operation_ptr<void> op) {
  if (core_->forked()) return detail::finish(std::move(op), result<void>(detail::forked_error()));
  auto shared = std::make_shared<detail::operation_ptr<void>>(std::move(op));
  core_->begin_shutdown(timeout, [shared](result<void> r) { detail::finish(std::move(*shared), std::move(r)); });
}

std::string runtime::metrics_text() const { return core_->metrics().text(); }

void runtime::log(log_line line) const {
  if (!core_->forked() && core_->log().enabled(line.level)) core_->log().write(std::move(line));
}

void runtime::set_log_level(log_level level) const { core_->log().set_level(level); }
void runtime::set_log_level(const std::string &part, log_level level) const { core_->log().set_level(part, level); }

boost::asio::io_context::executor_type runtime::executor() const { return core_->first_loop()->executor(); }

}  // namespace corbel
