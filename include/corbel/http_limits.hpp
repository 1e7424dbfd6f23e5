#pragma once
/// What a client may use of a server.

#include <chrono>
#include <cstddef>

namespace corbel {

struct http_limits {
  std::size_t header_bytes = std::size_t{16} << 10;  ///< request line and fields; more is answered 431
  std::size_t body_bytes = std::size_t{1} << 20;     ///< more is answered 413
  std::size_t connections = 4096;                    ///< at once; one more is answered 503 and closed
  std::chrono::milliseconds idle{75000};             ///< between two requests of a connection, then it is closed
  std::chrono::milliseconds header{10000};           ///< from a request's first byte to the end of its header, then 408
  std::chrono::milliseconds body{30000};             ///< from there to the end of its body, then 408
  std::chrono::milliseconds write{30000};            ///< for a response or a batch of frames to be taken, then it is cut
  std::chrono::milliseconds linger{1000};            ///< how long what a refused client still sends is read and thrown away
};

}  // namespace corbel
