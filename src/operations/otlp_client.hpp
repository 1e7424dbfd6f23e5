#pragma once
/// Owns: where a collector is and how its certificate is verified; one POST at a time. Threads: the runtime's executor.

#include <corbel/runtime.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace corbel {

class otlp_client {
 public:
  /// endpoint: "http://collector:4318" or "https://...", to which /v1/metrics is appended. ca: PEM file of the authorities
  /// that are trusted; empty: those of the system. Throws failure when one of them is wrong.
  otlp_client(const runtime &rt, const std::string &endpoint, const std::string &ca);

  /// The status; 0 when nobody answered, and why.
  boost::asio::awaitable<unsigned> post(const std::string &body, std::chrono::milliseconds timeout, std::string &why);

 private:
  template <class Stream>
  boost::asio::awaitable<unsigned> exchange(Stream &stream, const std::string &body, std::string &why);

  const runtime &rt_;
  std::string host_, path_;
  std::uint16_t port_ = 4318;
  std::unique_ptr<boost::asio::ssl::context> tls_;  // for https
};

}  // namespace corbel
