#pragma once
/// A listener that answers whoever speaks to it with the same bytes, whatever was asked, or says nothing at all.
/// It runs on a thread of its own.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace corbel::test {

class raw_server {
 public:
  /// answer: sent once for each connection, after its first bytes; empty: nothing is ever sent.
  explicit raw_server(std::string answer);
  ~raw_server();
  raw_server(const raw_server &) = delete;
  raw_server &operator=(const raw_server &) = delete;

  std::uint16_t port() const noexcept;
  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port()); }
  std::size_t accepted() const noexcept;
  /// What the clients have sent so far, of all connections.
  std::string received() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace corbel::test
