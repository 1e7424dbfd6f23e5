#pragma once
/// A TCP proxy in front of a port of the loopback address, which can be told to misbehave. It runs on a thread of its own.
///
///     tcp_gate gate(server.port());
///     redis_pool pool(rt, {.url = gate.url()});
///     gate.slice(1);
///
/// Threads: any. A setting is in force, for connections that are open too, when its call returns.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace corbel::test {

class tcp_gate {
 public:
  /// port: where it listens, as free_port() finds one.
  explicit tcp_gate(std::uint16_t target);
  ~tcp_gate();  ///< closes all connections
  tcp_gate(const tcp_gate &) = delete;
  tcp_gate &operator=(const tcp_gate &) = delete;

  std::uint16_t port() const noexcept;
  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port()); }

  void set_delay(std::chrono::milliseconds delay);  ///< what the server sends arrives so much later
  void slice(std::size_t bytes);                    ///< relays in pieces of so many bytes, both ways; 0: as it comes
  void black_hole(bool on);                         ///< accepts, and forwards nothing; what came is forwarded when it ends
  void refuse(bool on);                             ///< new connections are refused; those that are open stay
  void half_close();                                ///< ends the sending side towards every client, and goes on reading
  void reset_all();                                 ///< resets every connection (RST), both ways
  void reset_after(std::size_t bytes);              ///< resets a connection when so many more bytes went to its client
  void reset_when(std::string text);  ///< resets instead of relaying what the server sends with this in it; "": never
  /// Where the server next sends text, its client gets last_words instead of it and all that follows, and then the end.
  void end_at(std::string text, std::string last_words);
  void replace_next(std::string bytes);  ///< the next bytes that the server sends are replaced by these

  std::size_t connections() const;  ///< open now
  std::size_t accepted() const;     ///< ever

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace corbel::test
