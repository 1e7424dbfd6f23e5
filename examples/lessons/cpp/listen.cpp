// Lesson: a listener wants channels; the pool keeps them on one connection, over reconnects too, and says when there was a
// gap. A change completes when the server has confirmed it, so what is notified afterwards is not missed.
//
//     DATABASE_URL=postgresql://postgres@localhost/postgres build/dev/examples/lessons/lesson_cpp_listen
#include <corbel/pg_listener.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace asio = boost::asio;
using namespace std::chrono_literals;

static asio::awaitable<void> lesson(corbel::runtime &rt, const char *url) {
  {
    corbel::pg_options options;
    options.conninfo = url;
    corbel::pg_pool pool(rt, options);
    corbel::pg_listener listener(pool);
    const corbel::call call;
    (co_await listener.async_listen("lesson_news", call, asio::use_awaitable)).value();
    corbel::pg_statement notify("SELECT pg_notify('lesson_news', 'news ' || i) FROM generate_series(1, 3) i");
    (co_await pool.async_query(std::move(notify), asio::use_awaitable)).value();

    for (int heard = 0; heard < 3;) {
      auto batch = co_await listener.async_receive(asio::use_awaitable);
      for (const auto &notice : batch.value()) {
        if (notice.type == corbel::pg_notice::kind::message) {
          std::printf("%s in epoch %d: %s\n", notice.channel.c_str(), static_cast<int>(notice.epoch),
                      notice.payload.c_str());
          heard++;
        } else {  // after a loss: a gap, then listening again in a new epoch
          std::puts(notice.type == corbel::pg_notice::kind::gap ? "gap" : "listening again");
        }
      }
    }
  }  // leaves all its channels
  (co_await rt.async_shutdown(5s, asio::use_awaitable)).value();
}

int main() {
  std::puts("lesson: listen");
  const char *url = std::getenv("DATABASE_URL");
  asio::io_context loop(1);
  corbel::runtime rt(loop, {.name = "listen"});
  asio::co_spawn(loop, lesson(rt, url ? url : "postgresql://postgres@localhost/postgres"), [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  });
  loop.run();
}
