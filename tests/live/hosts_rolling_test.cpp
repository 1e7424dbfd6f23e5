/// A rolling restart behind a real nginx, under load: no request and no message is lost, no 502 is answered.

#include "live/hosts_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

using namespace corbel;
using namespace corbel::test;
using namespace std::chrono_literals;

namespace {

/// What a load balancer does: asks every server after its readiness, and has nginx send nothing new to one that is not.
class balancer {
 public:
  explicit balancer(std::vector<std::uint16_t> servers) : port(free_port()), servers_(std::move(servers)) {
    write(std::vector<bool>(servers_.size(), true));
    nginx_ = child_process(
        {"/usr/sbin/nginx", "-p", dir_.path().string(), "-c", dir_.file("nginx.conf"), "-e", dir_.file("error.log")},
        dir_.file("log"));
    if (!until(20s, [&] { return answers("/livez") == 200; })) throw std::runtime_error("nginx does not serve");
    polling_ = std::thread([this] { poll(); });
  }
  ~balancer() {
    ended_ = true;
    polling_.join();
    nginx_.stop();
  }

  const std::uint16_t port;

 private:
  int answers(const std::string &path) const {
    try {
      return http_get(port, path).status;
    } catch (const std::exception &) {
      return 0;
    }
  }
  void write(const std::vector<bool> &up) {
    std::string servers;
    for (std::size_t i = 0; i < servers_.size(); ++i)
      servers += "      server 127.0.0.1:" + std::to_string(servers_[i]) + " max_fails=0" + (up[i] ? ";\n" : " down;\n");
    std::ofstream(dir_.file("nginx.conf")) << (::geteuid() == 0 ? "user root;\n" : "") << R"(daemon off;
worker_processes 1;
pid nginx.pid;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxied; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  upstream ingress {
)" << servers << R"(      keepalive 16;
  }
  server {
    listen 127.0.0.1:)" << port << R"(;
    location / {
      proxy_pass http://ingress;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_next_upstream off;
      proxy_read_timeout 60s;
    }
  }
}
)";
  }
  void poll() {
    std::vector<bool> up(servers_.size(), true);
    while (!ended_) {
      std::vector<bool> now;
      for (auto server : servers_) {
        int status = 0;
        try {
          status = http_get(server, "/readyz").status;
        } catch (const std::exception &) {
        }
        now.push_back(status == 200);
      }
      if (now != up) {
        up = now;
        write(up);
        nginx_.signal(SIGHUP);
      }
      std::this_thread::sleep_for(200ms);  // the interval that the test is about
    }
  }

  temp_dir dir_;
  std::vector<std::uint16_t> servers_;
  child_process nginx_;
  std::atomic<bool> ended_{false};
  std::thread polling_;
};

/// A browser: reads its stream, and when that ends opens it again where it left off.
class reader {
 public:
  reader(std::uint16_t port, std::string session) : thread_([this, port, s = std::move(session)] { read(port, s); }) {}
  ~reader() { thread_.join(); }
  std::set<std::string> completed() {
    std::lock_guard lock(mutex_);
    return completed_;
  }
  std::atomic<bool> ended{false};
  std::atomic<bool> open{false};
  std::atomic<int> told{0};

 private:
  void read(std::uint16_t port, const std::string &session) {
    std::string last;
    while (!ended) {
      try {
        auto stream = sse_client::of(port, session, "tab", last);
        for (;;) {
          auto e = stream.next();
          if (e.event.empty() || ended) break;
          if (e.event == "ready") open = true;
          if (!e.id.empty()) last = e.id;
          if (e.event == "server_shutdown") ++told;
          if (e.event != "chat_complete") continue;
          std::lock_guard lock(mutex_);
          completed_.insert(e.id);
        }
      } catch (const std::exception &) {
      }
    }
  }

  std::mutex mutex_;
  std::set<std::string> completed_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("two ingress and two proc are restarted one after another: nothing is lost, nobody sees a 502") {
  redis_server redis;
  const std::vector<std::string> more = {"--drain-notice-ms", "1000"};
  host one("ingress", redis.url(), more), two("ingress", redis.url(), more);
  host first("proc", redis.url(), more), second("proc", redis.url(), more);
  balancer front({one.port, two.port});
  constexpr int clients = 4;

  std::atomic<bool> enough{false};
  std::atomic<int> sent{0};
  std::mutex mutex;
  std::map<int, int> statuses;
  std::vector<std::unique_ptr<reader>> readers;
  std::vector<std::thread> senders;
  for (int c = 0; c < clients; ++c) readers.push_back(std::make_unique<reader>(front.port, "s" + std::to_string(c)));
  for (auto &r : readers) REQUIRE(until(20s, [&] { return r->open.load(); }));
  std::vector<std::atomic<int>> counts(clients);
  for (int c = 0; c < clients; ++c)
    senders.emplace_back([&, c] {
      for (int i = 0; !enough; ++i) {
        int status = 0;
        try {
          http_wire wire(front.port);  // nginx closes idle connections of clients when it is reloaded
          wire.post("/api/chat/messages", plain("s" + std::to_string(c), "some words", "e" + std::to_string(i)),
                    "Connection: close\r\n");
          status = wire.response().status;
        } catch (const std::exception &) {
        }
        ++sent;
        counts[c] = i + 1;
        {
          std::lock_guard lock(mutex);
          ++statuses[status];
        }
        std::this_thread::sleep_for(5ms);  // a client that thinks
      }
    });

  for (auto *h : {&one, &first, &two, &second}) {
    const int before = sent;
    REQUIRE(until(20s, [&] { return sent > before + 100; }));
    h->process.signal(SIGTERM);
    CHECK(h->process.wait_for(40s) == 0);
    h->start();
  }
  const int before = sent;
  REQUIRE(until(20s, [&] { return sent > before + 100; }));
  enough = true;
  for (auto &s : senders) s.join();

  CHECK(statuses.size() == 1);
  CHECK(statuses[200] == sent);
  for (auto &[status, count] : statuses) MESSAGE("answers of ", status, ": ", count);
  int told = 0;
  for (int c = 0; c < clients; ++c) {
    const auto expected = static_cast<std::size_t>(counts[c].load());
    CHECK(until(30s, [&] { return readers[c]->completed().size() >= expected; }));
    auto completed = readers[c]->completed();
    for (int i = 0; i < counts[c]; ++i) CHECK(completed.count("e" + std::to_string(i) + ":chat.complete") == 1);
    told += readers[c]->told;
    readers[c]->ended = true;
  }
  CHECK(told > 0);
  // Wakes the readers.
  for (int c = 0; c < clients; ++c)
    CHECK(http_post(front.port, "/api/chat/messages", plain("s" + std::to_string(c), "end", "end")).status == 200);
}

TEST_CASE("POST /drain is taken from this machine, and not through a proxy") {
  redis_server redis;
  host ingress("ingress", redis.url(), {"--drain-notice-ms", "100"});
  http_wire wire(ingress.port);
  wire.post("/drain", "", "X-Forwarded-For: 10.0.0.1\r\n");
  CHECK(wire.response().status == 403);
  CHECK(ingress.health() == 200);
  wire.post("/drain", "");
  CHECK(wire.response().status == 202);
  CHECK(ingress.process.wait_for(20s) == 0);
}
