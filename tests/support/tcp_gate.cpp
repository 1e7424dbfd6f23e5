#include "support/tcp_gate.hpp"

#include "support/free_port.hpp"

#include <boost/asio.hpp>

#include <deque>
#include <future>
#include <list>
#include <optional>
#include <thread>

namespace corbel::test {

namespace asio = boost::asio;
using asio::ip::tcp;
using steady = std::chrono::steady_clock;

namespace {

struct settings {
  std::chrono::milliseconds delay{0};
  std::size_t slice = 0;
  bool hole = false;
  std::optional<std::size_t> reset_after;
  std::string reset_when;
  std::optional<std::string> replacement;
};

void reset(tcp::socket &s) {
  boost::system::error_code ignored;
  s.set_option(asio::socket_base::linger(true, 0), ignored);
  s.close(ignored);
}

/// One client, and the connection to the server made for it.
struct link : std::enable_shared_from_this<link> {
  struct chunk {
    steady::time_point due;
    std::string bytes;
  };
  struct direction {
    direction(tcp::socket &f, tcp::socket &t, bool client) : from(f), to(t), wake(f.get_executor()), to_client(client) {}
    tcp::socket &from, &to;
    asio::steady_timer wake;
    std::deque<chunk> held;
    bool ended = false;
    const bool to_client;
  };

  link(tcp::socket c, settings &s)
      : client(std::move(c)),
        server(client.get_executor()),
        up(client, server, false),
        down(server, client, true),
        knobs(s) {}

  static asio::awaitable<void> run(std::shared_ptr<link> self, std::uint16_t target) {
    boost::system::error_code ec;
    co_await self->server.async_connect({asio::ip::address_v4::loopback(), target},
                                        asio::redirect_error(asio::use_awaitable, ec));
    if (ec) {
      self->close();
      co_return;
    }
    for (auto *s : {&self->client, &self->server}) s->set_option(tcp::no_delay(true), ec);
    for (auto *d : {&self->up, &self->down}) {
      asio::co_spawn(self->client.get_executor(), read(self, *d), asio::detached);
      asio::co_spawn(self->client.get_executor(), write(self, *d), asio::detached);
    }
  }

  static asio::awaitable<void> read(std::shared_ptr<link> self, direction &d) {
    std::string buffer(1 << 16, '\0');
    boost::system::error_code ec;
    for (;;) {
      auto n = co_await d.from.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, ec));
      if (ec) break;
      std::string bytes(buffer, 0, n);
      if (d.to_client && self->knobs.replacement) bytes = *std::exchange(self->knobs.replacement, std::nullopt);
      if (d.to_client && !self->knobs.reset_when.empty() && bytes.find(self->knobs.reset_when) != std::string::npos) {
        self->abort();
        co_return;
      }
      d.held.push_back({steady::now() + (d.to_client ? self->knobs.delay : std::chrono::milliseconds(0)), std::move(bytes)});
      d.wake.cancel();
    }
    d.ended = true;
    d.wake.cancel();
  }

  static asio::awaitable<void> write(std::shared_ptr<link> self, direction &d) {
    boost::system::error_code ec;
    while (self->client.is_open()) {
      if (self->knobs.hole || (d.held.empty() && !d.ended)) {
        d.wake.expires_at(steady::time_point::max());
      } else if (d.held.empty()) {
        d.to.shutdown(tcp::socket::shutdown_send, ec);
        if (self->up.ended && self->down.ended && self->up.held.empty() && self->down.held.empty()) self->close();
        co_return;
      } else if (d.held.front().due <= steady::now()) {
        auto bytes = std::move(d.held.front().bytes);
        d.held.pop_front();
        if (!co_await self->send(d, std::move(bytes))) co_return;
        continue;
      } else {
        d.wake.expires_at(d.held.front().due);
      }
      co_await d.wake.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    }
  }

  asio::awaitable<bool> send(direction &d, std::string bytes) {
    boost::system::error_code ec;
    for (std::size_t at = 0; at < bytes.size();) {
      auto n = std::min(bytes.size() - at, knobs.slice ? knobs.slice : bytes.size());
      bool last = d.to_client && knobs.reset_after && n >= *knobs.reset_after;
      if (last) n = *knobs.reset_after;
      co_await asio::async_write(d.to, asio::buffer(bytes.data() + at, n), asio::redirect_error(asio::use_awaitable, ec));
      if (ec) {
        close();
        co_return false;
      }
      at += n;
      if (last) {
        knobs.reset_after.reset();
        abort();
        co_return false;
      }
      if (d.to_client && knobs.reset_after) *knobs.reset_after -= n;
    }
    co_return true;
  }

  void wake() {
    up.wake.cancel();
    down.wake.cancel();
  }
  void half_close() {
    boost::system::error_code ignored;
    client.shutdown(tcp::socket::shutdown_send, ignored);
  }
  void abort() {
    reset(client);
    reset(server);
    wake();
  }
  void close() {
    boost::system::error_code ignored;
    client.close(ignored);
    server.close(ignored);
    wake();
  }

  tcp::socket client, server;
  direction up, down;
  settings &knobs;
};

}  // namespace

struct tcp_gate::impl {
  explicit impl(std::uint16_t t) : target(t), own({asio::ip::address_v4::loopback(), free_port()}), acceptor(context) {
    listen();
    thread = std::thread([this] { context.run(); });
  }
  /// Runs work on the gate's thread and waits for it.
  template <class Work>
  auto on_thread(Work w) {
    std::packaged_task<decltype(w())()> task(std::move(w));
    auto done = task.get_future();
    asio::post(context, [&task] { task(); });
    return done.get();
  }

  ~impl() {
    on_thread([this] {
      acceptor.close();
      for_each([](link &l) { l.close(); });
      work.reset();
    });
    thread.join();
  }

  template <class Work>
  void for_each(Work w) {
    for (auto &weak : links) {
      if (auto l = weak.lock()) w(*l);
    }
  }

  void listen() {
    acceptor.open(own.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    acceptor.bind(own);
    acceptor.listen(4096);
    accept();
  }
  void accept() {
    acceptor.async_accept([this](boost::system::error_code ec, tcp::socket s) {
      if (ec) return;
      ++accepted;
      auto l = std::make_shared<link>(std::move(s), knobs);
      std::erase_if(links, [](auto &weak) { return weak.expired(); });
      links.push_back(l);
      asio::co_spawn(context, link::run(l, target), asio::detached);
      accept();
    });
  }

  const std::uint16_t target;
  const tcp::endpoint own;
  settings knobs;
  asio::io_context context{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{asio::make_work_guard(context)};
  tcp::acceptor acceptor;
  std::list<std::weak_ptr<link>> links;
  std::size_t accepted = 0;
  std::thread thread;
};

tcp_gate::tcp_gate(std::uint16_t target) : impl_(std::make_unique<impl>(target)) {}
tcp_gate::~tcp_gate() = default;

std::uint16_t tcp_gate::port() const noexcept { return impl_->own.port(); }

void tcp_gate::set_delay(std::chrono::milliseconds delay) {
  impl_->on_thread([&] { impl_->knobs.delay = delay; });
}
void tcp_gate::slice(std::size_t bytes) {
  impl_->on_thread([&] { impl_->knobs.slice = bytes; });
}
void tcp_gate::black_hole(bool on) {
  impl_->on_thread([&] {
    impl_->knobs.hole = on;
    impl_->for_each([](link &l) { l.wake(); });
  });
}
void tcp_gate::refuse(bool on) {
  impl_->on_thread([&] {
    if (on == !impl_->acceptor.is_open()) return;
    if (on)
      impl_->acceptor.close();
    else
      impl_->listen();
  });
}
void tcp_gate::half_close() {
  impl_->on_thread([&] { impl_->for_each([](link &l) { l.half_close(); }); });
}
void tcp_gate::reset_all() {
  impl_->on_thread([&] { impl_->for_each([](link &l) { l.abort(); }); });
}
void tcp_gate::reset_after(std::size_t bytes) {
  impl_->on_thread([&] { impl_->knobs.reset_after = bytes; });
}
void tcp_gate::reset_when(std::string text) {
  impl_->on_thread([&] { impl_->knobs.reset_when = std::move(text); });
}
void tcp_gate::replace_next(std::string bytes) {
  impl_->on_thread([&] { impl_->knobs.replacement = std::move(bytes); });
}

std::size_t tcp_gate::connections() const {
  return impl_->on_thread([this] {
    std::size_t open = 0;
    impl_->for_each([&](link &l) { open += l.client.is_open(); });
    return open;
  });
}
std::size_t tcp_gate::accepted() const {
  return impl_->on_thread([this] { return impl_->accepted; });
}

}  // namespace corbel::test
