#include "operations/token_guard.hpp"

#include <openssl/crypto.h>

namespace corbel {

bool same_secret(std::string_view given, std::string_view expected) noexcept {
  return !expected.empty() && given.size() == expected.size() &&
         ::CRYPTO_memcmp(given.data(), expected.data(), expected.size()) == 0;
}

std::optional<http_response> token_guard::refuse(const http_request &request) const {
  constexpr std::string_view scheme = "Bearer ";
  const auto field = request.field("Authorization");
  if (!field.starts_with(scheme)) {
    auto r = http_refusal(401, "unauthorized", "the operations API needs Authorization: Bearer and its token");
    r.fields.emplace_back("WWW-Authenticate", "Bearer");
    return r;
  }
  if (!same_secret(field.substr(scheme.size()), token_)) return http_refusal(403, "forbidden", "the token is wrong");
  return {};
}

void token_guard::log(log_level level, const http_request &request, unsigned status) const {
  rt_.log({.level = level,
           .part = "operations",
           .text = request.method + " " + request.path,
           .fields = {{"peer", request.peer}, {"status", std::to_string(status)}}});
}

http_handler token_guard::guarded(http_handler handler) const {
  return [this, handler = std::move(handler)](const http_request &request) -> boost::asio::awaitable<http_response> {
    if (auto refused = refuse(request)) {
      log(log_level::warning, request, refused->status);
      co_return *std::move(refused);
    }
    auto answered = co_await handler(request);
    log(log_level::info, request, answered.status);
    co_return answered;
  };
}

}  // namespace corbel
