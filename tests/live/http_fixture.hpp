#pragma once
/// A server on a thread of its own, with routes that show what it does.

#include "http/event_stream.hpp"
#include "http/server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <thread>

namespace corbel::test {

class served {
 public:
  explicit served(http_limits limits = {}, event_stream_options events = {})
      : stream_options(std::move(events)), gate(context), server(context.get_executor(), routes(), limits) {
    gate.expires_at(std::chrono::steady_clock::time_point::max());
    port = server.listen("127.0.0.1", 0).value();
    thread_ = std::thread([this] { context.run(); });
  }
  /// Runs f on the server's thread and gives back what it returns.
  template <class F>
  auto on_it(F f) -> decltype(f()) {
    return boost::asio::post(context, boost::asio::use_future(std::move(f))).get();
  }
  ~served() {
    on_it([this] {
      gate.cancel();
      return 0;
    });
    stop(std::chrono::seconds(5));
    work_.reset();
    thread_.join();
  }

  std::future<std::size_t> begin_stop(std::chrono::milliseconds timeout) {
    return boost::asio::co_spawn(context, server.stop(timeout), boost::asio::use_future);
  }
  std::size_t stop(std::chrono::milliseconds timeout) { return begin_stop(timeout).get(); }
  http_stats stats() {
    return on_it([this] { return server.stats(); });
  }

 private:
  http_router routes() {
    using request = const http_request &;
    http_router r;
    r.add("GET", "/hello", {.handler = [](request q) -> boost::asio::awaitable<http_response> {
            co_return http_response{.body = "hello " + std::string(q.parameter("name"))};
          }});
    r.add("POST", "/echo", {.handler = [](request q) -> boost::asio::awaitable<http_response> {
            co_return http_response{.body = q.body, .content_type = "application/octet-stream"};
          }});
    r.add("GET", "/fields", {.handler = [](request q) -> boost::asio::awaitable<http_response> {
            co_return http_response{.body = "fields",
                                    .content_type = "text/plain" + q.body,
                                    .fields = {{"X-Given", "a" + q.body}, {"X-Bad" + q.body, "b"}, {"", "c"}}};
          }});
    r.add("GET", "/throws", {.handler = [](request) -> boost::asio::awaitable<http_response> {
            throw std::runtime_error("a secret of the inside");
            co_return http_response{};
          }});
    r.add("GET", "/waits", {.handler = [this](request) -> boost::asio::awaitable<http_response> {
            ++waiting;
            co_await gate.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
            co_return http_response{.body = "waited"};
          }});
    r.add("GET", "/health",
          {.handler = [this](request) -> boost::asio::awaitable<http_response> {
             co_return http_response{.status = server.draining() ? 503u : 200u, .body = "{}"};
           },
           .while_draining = true});
    r.add("GET", "/events", {.handler = [this](request q) -> boost::asio::awaitable<http_response> {
            stream = std::make_shared<event_stream>(context.get_executor(), stream_options);
            co_return http_response{
                .content_type = "text/event-stream", .fields = {{"X-Given", "a" + q.body}}, .stream = stream};
          }});
    return r;
  }

 public:
  boost::asio::io_context context{1};
  event_stream_options stream_options;
  boost::asio::steady_timer gate;  ///< cancelling it lets /waits answer
  int waiting = 0;                 ///< requests that have reached /waits
  std::shared_ptr<event_stream> stream;
  http_server server;
  std::uint16_t port = 0;

 private:
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context.get_executor()};
  std::thread thread_;
};

}  // namespace corbel::test
