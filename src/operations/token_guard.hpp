#pragma once
/// Who may use the operations API: who knows the token. Pure but for the log; any thread.

#include "http/router.hpp"

#include <corbel/runtime.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace corbel {

/// Takes the same time for every wrong text of one length.
bool same_secret(std::string_view given, std::string_view expected) noexcept;

class token_guard {
 public:
  /// An empty token: nobody may, and there are no routes.
  token_guard(runtime &rt, std::string token) : rt_(rt), token_(std::move(token)) {}

  bool is_on() const noexcept { return !token_.empty(); }
  /// 401 without "Authorization: Bearer ...", 403 with a wrong token; none: it may.
  std::optional<http_response> refuse(const http_request &request) const;
  /// A handler that only answers who may, and logs every use with its outcome.
  http_handler guarded(http_handler handler) const;

 private:
  void log(log_level level, const http_request &request, unsigned status) const;

  runtime &rt_;
  const std::string token_;
};

}  // namespace corbel
