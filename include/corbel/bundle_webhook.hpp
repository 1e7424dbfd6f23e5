#pragma once
/// Deliveries of GitHub and GitLab: is it really theirs? For hosts with an HTTP server of their own. Pure; any thread.
///
///     auto push = corbel::verify_webhook(secret, {.signature = header("X-Hub-Signature-256"),
///                                                 .token = header("X-Gitlab-Token"), .event = ..., .body = body});
///     if (!push) return 401;
///     if (push->is_push) loader.look(id);
///
/// GitHub signs the body with HMAC-SHA256, GitLab sends the secret itself; both are compared in constant time, and there is
/// no other way in: an empty secret lets nobody in.

#include <corbel/result.hpp>

#include <string>
#include <string_view>

namespace corbel {

enum class webhook_sender { github, gitlab };

struct webhook_delivery {
  std::string_view signature = {};  ///< X-Hub-Signature-256; empty: there is none
  std::string_view token = {};      ///< X-Gitlab-Token; empty: there is none
  std::string_view event = {};      ///< X-GitHub-Event or X-Gitlab-Event
  std::string_view body = {};       ///< as it came, byte for byte
};

struct webhook_push {
  webhook_sender sender = webhook_sender::github;
  std::string event = {};
  std::string ref = {};  ///< "refs/heads/main"; empty when the body does not say so
  bool is_push = true;   ///< false for a ping, which asks for nothing
};

/// Errors: status::refused for what is not verified, never with the secret or the signature that would be right.
result<webhook_push> verify_webhook(std::string_view secret, const webhook_delivery &delivery);

}  // namespace corbel
