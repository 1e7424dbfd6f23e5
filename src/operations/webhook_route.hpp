#pragma once
/// POST /webhooks/git/{bundle}: GitHub or GitLab tells of a push, and the loader looks at once. The delivery is verified
/// first, see <corbel/bundle_webhook.hpp>, so that who cannot prove to be the sender learns nothing, not even which bundles
/// there are.
///
///     202 {"status": "looking", "bundle"}     the loader was asked; what becomes of it is told by its health and events
///     200 {"status": "ignored", "bundle"}     a ping
///     401 webhook.refused                     not verified, or this host has no secret
///     404 webhook.unknown                     verified, and there is no such bundle

#include "http/router.hpp"

#include <functional>
#include <string>

namespace corbel {

struct webhook_route {
  std::function<std::string(const std::string &bundle)> secret;  ///< empty: nobody is let in
  std::function<bool(const std::string &bundle)> look;           ///< bundles::look
  std::function<void(const std::string &line)> refused = {};     ///< why a delivery was turned away, for the log

  static void add(http_router &router, webhook_route route);
};

}  // namespace corbel
