#pragma once
/// Owns: looking a host name up without blocking a loop. Callers: whoever connects. Thread: the loop's; `done` runs there.
/// getaddrinfo cannot be interrupted: it runs on a thread of its own, which is left to itself when the deadline passes.

#include "io/loop.hpp"

#include <corbel/result.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace corbel::detail {

class resolution {
 public:
  using addresses = std::vector<boost::asio::ip::tcp::endpoint>;
  using callback = std::function<void(result<addresses>)>;

  /// An address literal completes inside the call. Dropping the resolution drops the callback.
  static std::shared_ptr<resolution> start(const std::shared_ptr<loop> &where, const std::string &host, std::uint16_t port,
                                           callback done);
  ~resolution();

 private:
  struct shared;
  std::shared_ptr<shared> shared_;
};

}  // namespace corbel::detail
