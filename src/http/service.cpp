#include "http/service_core.hpp"

namespace corbel {

http_service::http_service(runtime &rt, http_options options)
    : core_(detail::http_service_core::open(rt.core(), std::move(options))) {}

http_service::~http_service() {
  if (!core_) return;
  if (core_->runtime().forked())
    detail::leave_to_parent(std::move(core_));
  else
    core_->close();
}

http_service::http_service(http_service &&) noexcept = default;
http_service &http_service::operator=(http_service &&other) noexcept {
  http_service before(std::move(*this));
  core_ = std::move(other.core_);
  return *this;
}

std::uint16_t http_service::port() const noexcept { return core_->port(); }

result<void> http_service::route(const std::string &method, const std::string &path, http_handler handler) {
  return core_->route(method, path, std::move(handler));
}

void http_service::start_stop(const call &c, detail::operation_ptr<std::size_t> op) {
  if (auto why = core_->runtime().refusal()) return detail::finish(std::move(op), result<std::size_t>(std::move(why)));
  const auto timeout = c.timeout == call::unlimited ? std::chrono::milliseconds(std::chrono::hours(24))
                       : c.timeout.count() == 0     ? std::chrono::milliseconds(10'000)
                                                    : c.timeout;
  core_->stop(timeout, std::move(op));
}

detail::io_executor http_service::executor() const { return core_->executor(); }

}  // namespace corbel
