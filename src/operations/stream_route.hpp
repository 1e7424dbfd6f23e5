#pragma once
/// GET /sse/stream?stream_id=&user_session_id=: the session's events as Server-Sent Events: `ready` first, then what is
/// published, `: keepalive` in silence, `server_shutdown` when the host drains. Last-Event-ID brings what came after it, as
/// far as it is still kept. Without user_session_id a session is made; `ready` tells its name.

#include "http/router.hpp"
#include "operations/identity.hpp"
#include "relay/relay.hpp"

#include <memory>

namespace corbel {

struct stream_route {
  host_identity who;
  std::weak_ptr<relay> source;  ///< gone: no stream is opened any more
  boost::asio::any_io_executor executor;

  static void add(http_router &router, stream_route route);
};

}  // namespace corbel
