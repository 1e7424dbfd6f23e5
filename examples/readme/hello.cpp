#include <corbel/redis_pool.hpp>

#include <boost/asio.hpp>

#include <iostream>

boost::asio::awaitable<void> greet(corbel::redis_pool &redis) {
  auto reply = co_await redis.async_send(corbel::redis_command("GET", "greeting"), boost::asio::use_awaitable);
  std::cout << (reply ? reply->root().text() : reply.error().message()) << "\n";
}

int main() {
  boost::asio::io_context context{1};
  corbel::runtime rt(context);  // on the host's io_context; corbel::runtime rt; has threads of its own
  corbel::redis_pool redis(rt, {.url = "redis://localhost:6379"});
  boost::asio::co_spawn(context, greet(redis), [&](std::exception_ptr) { context.stop(); });
  context.run();
}
