#include "support/tcp_gate.hpp"

#include "support/free_port.hpp"
#include "support/gate_link.hpp"

#include <boost/asio.hpp>

#include <future>
#include <list>
#include <optional>
#include <thread>

namespace corbel::test {

namespace asio = boost::asio;
using asio::ip::tcp;

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
      for_each([](gate_link &l) { l.close(); });
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
      auto l = std::make_shared<gate_link>(std::move(s), knobs);
      std::erase_if(links, [](auto &weak) { return weak.expired(); });
      links.push_back(l);
      l->start(target);
      accept();
    });
  }

  const std::uint16_t target;
  const tcp::endpoint own;
  gate_settings knobs;
  asio::io_context context{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{asio::make_work_guard(context)};
  tcp::acceptor acceptor;
  std::list<std::weak_ptr<gate_link>> links;
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
    impl_->for_each([](gate_link &l) { l.wake(); });
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
  impl_->on_thread([&] { impl_->for_each([](gate_link &l) { l.half_close(); }); });
}
void tcp_gate::reset_all() {
  impl_->on_thread([&] { impl_->for_each([](gate_link &l) { l.reset(); }); });
}
void tcp_gate::reset_after(std::size_t bytes) {
  impl_->on_thread([&] { impl_->knobs.reset_after = bytes; });
}
void tcp_gate::reset_when(std::string text) {
  impl_->on_thread([&] { impl_->knobs.reset_when = std::move(text); });
}
void tcp_gate::end_at(std::string text, std::string last_words) {
  impl_->on_thread([&] {
    impl_->knobs.end_at = std::move(text);
    impl_->knobs.last_words = std::move(last_words);
  });
}

void tcp_gate::replace_next(std::string bytes) {
  impl_->on_thread([&] { impl_->knobs.replacement = std::move(bytes); });
}

std::size_t tcp_gate::connections() const {
  return impl_->on_thread([this] {
    std::size_t open = 0;
    impl_->for_each([&](gate_link &l) { open += l.is_open(); });
    return open;
  });
}
std::size_t tcp_gate::accepted() const {
  return impl_->on_thread([this] { return impl_->accepted; });
}

}  // namespace corbel::test
