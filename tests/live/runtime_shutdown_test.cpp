// The end of a runtime: bounded, in any order, on the host's own loop, and in a forked child.
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"
#include "support/resources.hpp"
#include "support/until.hpp"

#include <corbel/redis_monitor.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <numeric>
#include <optional>
#include <set>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace corbel;
using namespace corbel::test;
namespace asio = boost::asio;

namespace {

#if defined(__SANITIZE_THREAD__)
constexpr bool threads_after_fork = false;  // ThreadSanitizer ends a forked process that starts a thread
#else
constexpr bool threads_after_fork = true;
#endif

/// Runs work in a forked child; its exit status, or 255 when it hangs.
template <class Work>
int in_child(Work work) {
  pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    ::_exit(work());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

}  // namespace

TEST_CASE("a shutdown with nothing under way is clean, and final") {
  redis_server server;
  runtime rt;
  redis_pool pool(rt, {.url = server.url()});
  CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
  CHECK_FALSE(rt.shutdown(10s).error());
  CHECK(ask(pool, redis_command("PING")).error().is(status::closed));
  CHECK(take(pool).error().is(status::closed));
  CHECK(pool.send(redis_command("PING")).error().is(status::closed));
  redis_subscription sub(pool);
  CHECK(subscribe(sub, "a").error().is(status::closed));
  CHECK_FALSE(rt.shutdown(10s).error());
  CHECK(until(10s, [&] { return server.clients().empty(); }));
}

TEST_CASE("a shutdown waits for what is under way, and names what was left") {
  redis_server server;
  runtime rt;
  redis_pool pool(rt, {.url = server.url(), .kind = "orders"});
  auto lease = take(pool).value();
  auto stuck = lease.async_send(redis_command("BLPOP", "none", 0), {.timeout = call::unlimited}, asio::use_future);
  REQUIRE(until(10s, [&] { return server.info("blocked_clients") == "1"; }));
  auto began = std::chrono::steady_clock::now();
  auto e = rt.shutdown(200ms).error();
  CHECK(std::chrono::steady_clock::now() - began >= 200ms);
  CHECK(std::chrono::steady_clock::now() - began < 10s);
  INFO(said(e));
  CHECK(e.is(status::timeout));
  CHECK(e.message().find("orders") != std::string::npos);
  CHECK(come(std::move(stuck)).error().is(status::cancelled));
  CHECK(rt.shutdown(200ms).error().message() == e.message());
}

TEST_CASE("commands under way complete before a shutdown ends") {
  redis_server server;
  for (int round = 0; round < 20; ++round) {
    runtime rt;
    redis_pool pool(rt, {.url = server.url()});
    std::vector<std::future<result<redis_reply>>> all;
    for (int i = 0; i < 500; ++i) all.push_back(pool.async_send(redis_command("ECHO", i), asio::use_future));
    CHECK_FALSE(rt.shutdown(10s).error());
    int late = 0, failed = 0;
    error why;
    for (auto &f : all) {
      late += f.wait_for(0s) != std::future_status::ready;
      auto r = come(std::move(f));
      failed += !r;
      if (!r) why = r.error();
    }
    INFO(said(why));
    CHECK(late == 0);
    CHECK(failed == 0);
  }
}

TEST_CASE("a shutdown on an I/O thread, or on the listener thread, is refused") {
  redis_server server;
  runtime rt;
  std::promise<error> on_io, on_listener;
  asio::post(rt.executor(), [&] { on_io.set_value(rt.shutdown(1s).error()); });
  CHECK(on_io.get_future().get().is(status::state));
  redis_pool pool(rt, {.url = server.url()});
  redis_monitor monitor(pool);
  monitor.listen([&, told = false](const redis_state_change &) mutable {
    if (!std::exchange(told, true)) on_listener.set_value(rt.shutdown(1s).error());
  });
  CHECK(on_listener.get_future().get().is(status::state));
  CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
}

TEST_CASE("runtime, pool, lease, subscription and monitor may be destroyed in any order") {
  redis_server server;
  auto build = [&](std::atomic<int> &completions) {
    std::vector<std::shared_ptr<void>> all;
    auto rt = std::make_shared<runtime>();
    auto pool = std::make_shared<redis_pool>(*rt, redis_options{.url = server.url()});
    auto lease = std::make_shared<redis_lease>(take(*pool).value());
    auto sub = std::make_shared<redis_subscription>(*pool);
    subscribe(*sub, "a").value();
    auto monitor = std::make_shared<redis_monitor>(*pool);
    monitor->listen([](const redis_state_change &) {});
    lease->async_send(redis_command("BLPOP", "none", 0), {.timeout = 60s}, [&](result<redis_reply>) { ++completions; });
    sub->async_receive([&](result<std::vector<redis_notice>>) { ++completions; });
    pool->async_send(redis_command("PING"), [&](result<redis_reply>) { ++completions; });
    all.insert(all.end(), {rt, pool, lease, sub, monitor});
    return all;
  };
  std::atomic<int> first_completions = 0;
  auto first = build(first_completions);
  auto running = threads() - 2;  // without the runtime's I/O thread and listener thread
  first.clear();
  REQUIRE(until(10s, [&] { return first_completions == 3 && threads() <= running; }));
  auto descriptors = open_descriptors();

  std::vector<std::size_t> order(5);
  std::iota(order.begin(), order.end(), 0u);
  int built = 0;
  std::atomic<int> completions = 0;
  do {
    auto all = build(completions);
    ++built;
    for (auto i : order) all[i].reset();
  } while (std::next_permutation(order.begin(), order.end()));
  CHECK(built == 120);
  CHECK(until(20s, [&] { return completions == 3 * built; }));
  CHECK(until(20s, [&] { return open_descriptors() <= descriptors && threads() <= running; }));
  CHECK(until(20s, [&] { return server.clients().empty(); }));
}

TEST_CASE("a runtime that was never used, and one that is moved") {
  { runtime unused; }
  runtime a;
  runtime b = std::move(a);
  CHECK_FALSE(b.shutdown(5s).error());
  { runtime never_shut = std::move(b); }
}

namespace {

struct on_host {
  asio::io_context ctx{1};
  runtime rt{ctx};
  bool elsewhere = false;
  std::string pong, heard;
  std::optional<error> ended;

  // Not inlined: GCC 12 then warns of a mismatched delete where there is none.
  [[gnu::noinline]] asio::awaitable<void> all(std::string url) {
    auto here = std::this_thread::get_id();
    auto check = [&] { elsewhere = elsewhere || std::this_thread::get_id() != here; };
    redis_pool pool(rt, {.url = url});
    pong = text(co_await pool.async_send(redis_command("PING"), asio::use_awaitable));
    check();
    redis_subscription sub(pool);
    CHECK(co_await sub.async_subscribe("a", asio::use_awaitable));
    check();
    CHECK(co_await pool.async_send(redis_command("PUBLISH", "a", "hello"), asio::use_awaitable));
    auto batch = co_await sub.async_receive(asio::use_awaitable);
    check();
    heard = std::string(batch.value().front().payload());
    auto lease = co_await pool.async_lease(asio::use_awaitable);
    check();
    CHECK(co_await lease.value().async_send(redis_command("MULTI"), asio::use_awaitable));
    pool.async_send(redis_command("PING"), [=](result<redis_reply>) { check(); });
    lease.value().release();
    ended = (co_await rt.async_shutdown(5s, asio::use_awaitable)).error();
    check();
  }
};

}  // namespace

TEST_CASE("on the host's io_context everything runs in its one thread, and run() returns") {
  redis_server server;
  auto before = threads();
  on_host h;
  asio::co_spawn(h.ctx, h.all(server.url()), asio::detached);
  h.ctx.run_for(patience);
  CHECK(h.ctx.stopped());
  CHECK(h.pong == "PONG");
  CHECK(h.heard == "hello");
  REQUIRE(h.ended);
  CHECK_FALSE(*h.ended);
  CHECK_FALSE(h.elsewhere);
  CHECK(threads() <= before + 1);  // at most the listener thread
}

TEST_CASE("the host's io_context is left when every handle is gone, without a shutdown") {
  redis_server server;
  asio::io_context ctx{1};
  std::optional<runtime> rt(std::in_place, ctx);
  std::optional<redis_pool> pool(std::in_place, *rt, redis_options{.url = server.url()});
  bool answered = false;
  pool->async_send(redis_command("PING"), [&](result<redis_reply> r) {
    answered = r.has_value();
    asio::post(ctx, [&] {
      pool.reset();
      rt.reset();
    });
  });
  ctx.run_for(patience);
  CHECK(ctx.stopped());
  CHECK(answered);
}

TEST_CASE("after a fork the child gets FORKED at once, may free, and may open a runtime of its own") {
  redis_server server;
  runtime rt;
  auto pool = std::make_unique<redis_pool>(rt, redis_options{.url = server.url()});
  CHECK(text(ask(*pool, redis_command("PING"))) == "PONG");
  auto lease = take(*pool).value();
  auto sub = std::make_unique<redis_subscription>(*pool);
  subscribe(*sub, "a").value();
  auto monitor = std::make_unique<redis_monitor>(*pool);

  CHECK(in_child([&] {
          std::atomic<int> forked = 0;
          auto count = [&](auto r) { forked += r.error().is(status::forked); };
          pool->async_send(redis_command("SET", "by", "child"), count);
          pool->async_lease(count);
          lease.async_send(redis_command("SET", "by", "child"), count);
          sub->async_subscribe("b", count);
          sub->async_receive(count);
          pool->async_close({}, count);
          if (!until(5s, [&] { return forked == 6; })) return 10 + forked.load();
          if (!pool->send(redis_command("PING")).error().is(status::forked)) return 2;
          if (!rt.shutdown(1s).error().is(status::forked)) return 3;
          if (pool->try_lease()) return 4;
          monitor.reset();
          lease.release();
          sub.reset();
          pool.reset();
          if (!threads_after_fork) return 0;
          runtime own;
          redis_pool own_pool(own, {.url = server.url()});
          auto r = own_pool.send(redis_command("PING"), {.timeout = 10s});
          return r && r->root().text() == "PONG" ? 0 : 5;
        }) == 0);

  CHECK(server.command({"GET", "by"}).nil);
  CHECK(text(ask(*pool, redis_command("PING"))) == "PONG");
  CHECK(text(ask(lease, redis_command("PING"))) == "PONG");
  CHECK(server.command({"PUBLISH", "a", "x"}).number == 1);
}

TEST_CASE("a child that ends without freeing anything does not hang or disturb its parent") {
  redis_server server;
  runtime rt;
  redis_pool pool(rt, {.url = server.url()});
  CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
  for (int i = 0; i < 20; ++i) {
    CHECK(in_child([] { return 0; }) == 0);
    CHECK(text(ask(pool, redis_command("ECHO", i))) == std::to_string(i));
  }
  CHECK(server.clients().size() == 1);
}

TEST_CASE("a program that the host starts inherits nothing") {
  redis_server server;
  std::set<std::string> before;
  for (auto &entry : std::filesystem::directory_iterator("/proc/self/fd")) before.insert(entry.path().filename());
  runtime rt;
  redis_pool pool(rt, {.url = server.url()});
  redis_pool local(rt, {.url = "unix://" + server.unix_path()});
  auto lease = take(pool).value();
  redis_subscription sub(local);
  subscribe(sub, "a").value();
  CHECK(text(ask(pool, redis_command("PING"))) == "PONG");
  std::size_t made = 0, inherited = 0;
  for (auto &entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    auto name = entry.path().filename().string();
    if (before.contains(name)) continue;
    int flags = ::fcntl(std::stoi(name), F_GETFD);
    if (flags < 0) continue;  // the one that read the directory
    ++made;
    inherited += (flags & FD_CLOEXEC) == 0;
  }
  CHECK(made >= 4);
  CHECK(inherited == 0);
}
