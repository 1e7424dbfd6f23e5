// A host name that cannot be resolved, then can; that moves; that takes for ever. The program's own getaddrinfo stands
// before the C library's, for one name only.
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"
#include "support/resources.hpp"
#include "support/until.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <dlfcn.h>
#include <mutex>
#include <netdb.h>
#include <string_view>

using namespace corbel;
using namespace corbel::test;

namespace {

struct name_service {
  std::atomic<int> asked = 0, failures = 0, old_address = 0;
  std::atomic<bool> hangs = false;
} names;

}  // namespace

extern "C" int getaddrinfo(const char *node, const char *service, const addrinfo *hints, addrinfo **out) {
  static const auto real = reinterpret_cast<decltype(&::getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  if (node && std::string_view(node) == "cache.test") {
    ++names.asked;
    until(60s, [] { return !names.hangs; });
    if (names.failures > 0) {
      --names.failures;
      return EAI_NONAME;
    }
    node = "127.0.0.1";
    if (names.old_address > 0) {
      --names.old_address;
      node = "127.0.0.9";
    }
  }
  return real(node, service, hints, out);
}

namespace {
std::string url_of(const redis_server &server) { return "redis://cache.test:" + std::to_string(server.port()); }
}  // namespace

TEST_CASE("a name that fails and then works") {
  redis_server server;
  runtime rt;
  names.failures = 1000000;
  redis_pool pool(rt, {.url = url_of(server)});
  auto e = ask(pool, redis_command("PING"), {.timeout = 300ms}).error();
  INFO(said(e));
  CHECK(e.is(status::unavailable));
  CHECK(e.source() == "dns");
  CHECK(e.message().find("cache.test") != std::string::npos);
  CHECK(names.asked < 200);  // it backs off

  auto waits = pool.async_send(redis_command("PING"), {.timeout = 30s}, boost::asio::use_future);
  redis_subscription sub(pool);
  auto joins = sub.async_change(redis_subscription::change::subscribe, "a", {.timeout = 30s}, boost::asio::use_future);
  names.failures = 3;
  CHECK(text(come(std::move(waits))) == "PONG");
  CHECK(come(std::move(joins)).value());
}

TEST_CASE("a name is resolved again for every connection: it may have moved") {
  redis_server server;
  runtime rt;
  names.old_address = 3;
  redis_pool pool(rt, {.url = url_of(server)});
  CHECK(text(ask(pool, redis_command("PING"), {.timeout = 20s})) == "PONG");
  auto before = names.asked.load();
  server.kill();
  names.old_address = 2;
  server.start();
  CHECK(text(ask(pool, redis_command("PING"), {.timeout = 20s, .idempotent = true})) == "PONG");
  CHECK(names.asked > before);
}

TEST_CASE("a name service that hangs: deadlines hold, others go on, the shutdown is bounded") {
  redis_server server;
  auto running = threads();
  {
    runtime rt;
    names.hangs = true;
    redis_pool stuck(rt, {.url = url_of(server), .connect_timeout = 200ms});
    redis_pool fine(rt, {.url = server.url()});
    CHECK(text(ask(fine, redis_command("PING"))) == "PONG");
    auto e = ask(stuck, redis_command("PING"), {.timeout = 500ms}).error();
    INFO(said(e));
    CHECK(e.is(status::unavailable));
    CHECK(text(ask(fine, redis_command("PING"))) == "PONG");
    auto began = std::chrono::steady_clock::now();
    auto ended = rt.shutdown(300ms);
    INFO(said(ended.error()));
    CHECK(std::chrono::steady_clock::now() - began < 10s);
    CHECK(threads() < running + 100);  // a look-up that hangs is not started again and again without bound
  }
  names.hangs = false;
  CHECK(until(20s, [&] { return threads() <= running; }));
}
