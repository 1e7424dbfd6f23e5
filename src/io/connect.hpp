#pragma once
/// Owns: making one TCP connection to the first address that answers. Callers: connections. Thread: the loop's.
/// Addresses are tried side by side, 250 ms apart, families interleaved (Happy Eyeballs, RFC 8305 sections 4 and 5).

#include "io/loop.hpp"
#include "io/stream.hpp"

#include <corbel/result.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace corbel::detail {

class connect_race : public std::enable_shared_from_this<connect_race> {
 public:
  using endpoint = boost::asio::generic::stream_protocol::endpoint;
  using callback = std::function<void(result<std::unique_ptr<stream>>)>;
  static constexpr std::chrono::milliseconds stagger{250};

  /// Order of RFC 8305 section 4: families alternate, beginning with the first address's.
  static std::vector<endpoint> interleave(const std::vector<boost::asio::ip::tcp::endpoint> &addresses);

  /// done runs once, unless the race is cancelled.
  static std::shared_ptr<connect_race> start(loop &where, std::vector<endpoint> endpoints, callback done);
  void cancel() noexcept;

 private:
  connect_race(loop &where, std::vector<endpoint> endpoints, callback done);
  void try_next();
  void tried(std::size_t index, boost::system::error_code ec);
  loop &loop_;
  std::vector<endpoint> endpoints_;
  std::vector<std::unique_ptr<stream>> running_;  // by endpoint; empty when it failed
  boost::asio::steady_timer timer_;
  std::size_t under_way_ = 0;
  boost::system::error_code last_error_;
  callback done_;
};

}  // namespace corbel::detail
