#pragma once
/// One client of a tcp_gate and the connection to the server made for it. Callers: tcp_gate. Thread: the gate's.

#include <boost/asio.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace corbel::test {

/// What the gate was told to do, as tcp_gate.hpp says.
struct gate_settings {
  std::chrono::milliseconds delay{0};
  std::size_t slice = 0;
  bool hole = false;
  std::optional<std::size_t> reset_after;
  std::string reset_when;
  std::optional<std::string> replacement;
  std::string end_at, last_words;
};

class gate_link : public std::enable_shared_from_this<gate_link> {
 public:
  using tcp = boost::asio::ip::tcp;

  gate_link(tcp::socket client, gate_settings &settings);
  void start(std::uint16_t target);

  void wake();  ///< settings changed
  void half_close();
  void reset();
  void close();
  bool is_open() const noexcept { return client_.is_open(); }

 private:
  struct chunk {
    std::chrono::steady_clock::time_point due;
    std::string bytes;
  };
  struct direction {
    direction(tcp::socket &f, tcp::socket &t, bool client) : from(f), to(t), changed(f.get_executor()), to_client(client) {}
    tcp::socket &from, &to;
    boost::asio::steady_timer changed;
    std::deque<chunk> held;
    bool ended = false;
    const bool to_client;
  };

  static boost::asio::awaitable<void> run(std::shared_ptr<gate_link> self, std::uint16_t target);
  static boost::asio::awaitable<void> read(std::shared_ptr<gate_link> self, direction &d);
  static boost::asio::awaitable<void> write(std::shared_ptr<gate_link> self, direction &d);
  boost::asio::awaitable<bool> send(direction &d, std::string bytes);
  bool is_done() const { return up_.ended && down_.ended && up_.held.empty() && down_.held.empty(); }

  tcp::socket client_, server_;
  direction up_, down_;
  gate_settings &settings_;
};

}  // namespace corbel::test
