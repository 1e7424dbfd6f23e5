// A followed document against a real Redis: the copy, updates, refusals, a server that goes away.
#include "json/document.hpp"
#include "support/log_lines.hpp"
#include "support/redis_calls.hpp"
#include "support/redis_server.hpp"
#include "support/tcp_gate.hpp"
#include "support/until.hpp"

#include <corbel/gateway.hpp>
#include <corbel/health.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <mutex>

using namespace corbel;
using namespace corbel::test;

namespace {

const std::string key = "home:default-project:kdcube:config:gateway:current";
const std::string channel = "home:default-project:kdcube:config:gateway:update";

std::string document(int connections) {
  return R"({"pools": {"redis_max_connections": )" + std::to_string(connections) + "}}";
}

std::string update(const std::string &config, const std::string &more = {}) {
  return R"({"tenant": "home", "project": "default-project", "ts": 1.5, "config": )" + config + more + "}";
}

gateway_load load(std::map<std::string, std::string> v) {
  v.emplace("GATEWAY_CONFIG_JSON", document(10));
  return load_gateway([&](const std::string &name) -> std::optional<std::string> {
    auto it = v.find(name);
    return it == v.end() ? std::nullopt : std::optional(it->second);
  });
}

/// Collects what a listener is told. The listener may be called once more after its configuration has gone.
class told {
 public:
  gateway_config::listener listener() {
    return [s = state_](const gateway_change &c) {
      std::lock_guard lock(s->mutex);
      s->changes.push_back(c);
    };
  }
  std::int64_t last() {
    std::lock_guard lock(state_->mutex);
    return state_->changes.empty() ? 0 : state_->changes.back().settings->pools.redis_max_connections.value_or(0);
  }
  std::size_t count() {
    std::lock_guard lock(state_->mutex);
    return state_->changes.size();
  }
  std::vector<gateway_change> changes() {
    std::lock_guard lock(state_->mutex);
    return state_->changes;
  }

 private:
  struct state {
    std::mutex mutex;
    std::vector<gateway_change> changes;
  };
  std::shared_ptr<state> state_ = std::make_shared<state>();
};

struct fixture {
  redis_server server;
  log_lines log;
  runtime rt{runtime_options{.log = log.collector()}};
  redis_pool pool{rt, {.url = server.url()}};

  static std::int64_t connections(const gateway_config &c) { return c.current()->pools.redis_max_connections.value_or(0); }
  bool becomes(const gateway_config &c, std::int64_t n) {
    return until(patience, [&] { return connections(c) == n; });
  }
  health_part health_of() {
    for (auto &p : health(rt).parts)
      if (p.part == "gateway:config") return p;
    return {};
  }
  void publish(const std::string &message) { server.command({"PUBLISH", channel, message}); }
};

result<void> ready(const gateway_config &c, call options = {.timeout = patience}) {
  return come(c.async_ready(options, boost::asio::use_future));
}

}  // namespace

TEST_CASE_FIXTURE(fixture, "without a copy the environment's document runs, and none is written") {
  gateway_config config(rt, pool, load({}));
  REQUIRE(ready(config));
  CHECK(connections(config) == 10);
  CHECK(config.source() == "GATEWAY_CONFIG_JSON");
  CHECK(server.command({"EXISTS", key}).number == 0);
  CHECK(health_of().state == health_state::ok);
  CHECK(server.command({"PUBSUB", "NUMSUB", channel}).elements.at(1).number == 1);
}

TEST_CASE_FIXTURE(fixture, "the copy in Redis counts more than the environment") {
  server.command({"SET", key, R"({"tenant_id": "home", "instance_id": "theirs", "redis_url": "redis://theirs",
    "pools": {"redis_max_connections": 11}})"});
  told t;
  gateway_config config(rt, pool, load({{"INSTANCE_ID", "pod-1"}, {"REDIS_URL", server.url()}}));
  config.listen(t.listener());
  REQUIRE(ready(config));
  CHECK(connections(config) == 11);
  CHECK(config.source() == "the copy in Redis");
  CHECK(config.current()->instance_id == "pod-1");
  CHECK(config.current()->redis_url == server.url());
  CHECK(config.current()->origin("pools.redis_max_connections").text() == "the copy in Redis: pools.redis_max_connections");
  CHECK(config.current()->origin("instance_id").text() == "INSTANCE_ID");
  REQUIRE(until(patience, [&] { return t.last() == 11; }));
  CHECK(t.changes().front().changed == std::vector<std::string>{"pools.redis_max_connections: 10 -> 11"});
}

TEST_CASE_FIXTURE(fixture, "another component's settings are read and followed in the same document") {
  auto sizes = [](int proc, int ingress) {
    return R"({"limits": {"proc": {"max_queue_size": )" + std::to_string(proc) + R"(}, "ingress": {"max_queue_size": )" +
           std::to_string(ingress) + "}}}";
  };
  told own, other;
  gateway_config config(rt, pool, load({{"GATEWAY_CONFIG_JSON", sizes(5, 1)}}));
  REQUIRE(ready(config));
  CHECK(config.current()->limits.max_queue_size == 1);
  CHECK(config.current("proc")->limits.max_queue_size == 5);
  CHECK(config.current("worker")->component == "proc");
  config.listen(own.listener());
  config.listen(other.listener(), "proc");
  publish(update(sizes(6, 1), R"(, "actor": "admin")"));
  REQUIRE(until(patience, [&] { return other.count() == 1; }));
  CHECK(other.changes()[0].settings->limits.max_queue_size == 6);
  CHECK(other.changes()[0].changed == std::vector<std::string>{"limits.max_queue_size: 5 -> 6"});
  CHECK(other.changes()[0].source == "an update by admin");
  publish(update(sizes(6, 2)));
  REQUIRE(until(patience, [&] { return own.count() == 1; }));
  CHECK(own.changes()[0].changed == std::vector<std::string>{"limits.max_queue_size: 1 -> 2"});
  CHECK(config.current("proc")->limits.max_queue_size == 6);
  CHECK(other.count() == 1);
}

TEST_CASE_FIXTURE(fixture, "updates are followed; what is the same is told to nobody") {
  told t;
  gateway_config config(rt, pool, load({{"INSTANCE_ID", "pod-1"}}));
  REQUIRE(ready(config));
  const auto id = config.listen(t.listener());
  publish(update(document(12), R"(, "actor": "admin")"));
  REQUIRE(becomes(config, 12));
  CHECK(config.source() == "an update by admin");
  publish(update(document(12)));
  publish(update(R"({"instance_id": "x", "redis_url": "y", "pools": {"redis_max_connections": 13}})"));
  REQUIRE(becomes(config, 13));
  CHECK(config.current()->instance_id == "pod-1");
  REQUIRE(until(patience, [&] { return t.last() == 13; }));
  CHECK(t.count() <= 2);
  CHECK(config.unlisten(id));
  CHECK_FALSE(config.unlisten(id));
  const auto heard = t.count();
  publish(update(document(14)));
  REQUIRE(becomes(config, 14));
  CHECK(t.count() == heard);
  CHECK(rt.metrics_text().find("corbel_gateway_documents_total{outcome=\"applied\"} 3") != std::string::npos);
  CHECK(rt.metrics_text().find("corbel_gateway_documents_total{outcome=\"unchanged\"} 1") != std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "a wrong update is refused with every fault, and the running settings stay") {
  told t;
  gateway_config config(rt, pool, load({}));
  config.listen(t.listener());
  REQUIRE(ready(config));
  for (auto &wrong : {update(R"({"pools": {"redis_max_connections": "12"}, "limits": null})"), update("[]"),
                      update(R"({"tenant": "other"})"), std::string("{"), std::string("not JSON"),
                      std::string(R"({"tenant": "other", "config": {}})"), std::string(2 << 20, ' ')}) {
    publish(update(document(10)));
    REQUIRE(until(patience, [&] { return !config.refused(); }));
    publish(wrong);
    REQUIRE(until(patience, [&] { return bool(config.refused()); }));
    CHECK(config.refused().is(status::invalid));
    CHECK(connections(config) == 10);
    REQUIRE(until(patience, [&] { return health_of().state == health_state::degraded; }));
  }
  CHECK(log.count("pools.redis_max_connections: found \"12\" (text)", log_level::error) == 1);
  CHECK(log.count("limits: found null; allowed: an object", log_level::error) == 1);
  CHECK(t.count() == 0);
  publish(update(document(15)));
  REQUIRE(becomes(config, 15));
  CHECK_FALSE(config.refused());
  REQUIRE(until(patience, [&] { return health_of().state == health_state::ok; }));
}

TEST_CASE_FIXTURE(fixture, "a wrong copy is refused, and the environment's document runs") {
  server.command({"SET", key, R"({"pools": {"redis_max_connections": 0}})"});
  gateway_config config(rt, pool, load({}));
  REQUIRE(ready(config));
  CHECK(connections(config) == 10);
  CHECK(config.refused().message().find("the copy in Redis") != std::string::npos);
  CHECK(config.source() == "GATEWAY_CONFIG_JSON");
}

TEST_CASE_FIXTURE(fixture, "a forced start writes the copy for all, and publishes it") {
  server.command({"SET", key, document(99)});
  gateway_config other(rt, pool, load({}));
  REQUIRE(ready(other));
  CHECK(connections(other) == 99);
  gateway_config config(rt, pool,
                        load({{"GATEWAY_CONFIG_FORCE_ENV_ON_STARTUP", "true"},
                              {"GATEWAY_CONFIG_JSON", R"({"instance_id": "i", "redis_url": "redis://:geheim@x",
                                          "pools": {"redis_max_connections": 20}, "unknown": [1]})"}}));
  REQUIRE(ready(config));
  CHECK(connections(config) == 20);
  REQUIRE(becomes(other, 20));
  CHECK(other.source() == "an update by env.startup");
  CHECK(server.command({"GET", key}).text ==
        R"({"pools": {"redis_max_connections": 20}, "unknown": [1], "tenant": "home", "project": "default-project", )"
        R"("tenant_id": "home", "project_id": "default-project"})");
  CHECK(server.command({"TTL", key}).number == -1);
}

TEST_CASE_FIXTURE(fixture, "a forced start may keep silent") {
  gateway_config other(rt, pool, load({}));
  REQUIRE(ready(other));
  gateway_config config(rt, pool,
                        load({{"GATEWAY_CONFIG_FORCE_ENV_ON_STARTUP", "1"}, {"GATEWAY_CONFIG_JSON", document(21)}}),
                        {.publish = false});
  REQUIRE(ready(config));
  CHECK(connections(config) == 21);
  CHECK(server.command({"EXISTS", key}).number == 1);
  publish(update(document(22)));
  REQUIRE(becomes(other, 22));
  CHECK(other.source() == "an update");  // the first that it heard of
}

TEST_CASE_FIXTURE(fixture, "what was published while the server could not be reached is found in the copy") {
  told t;
  tcp_gate gate(server.port());
  redis_pool behind(rt, {.url = gate.url()});
  gateway_config config(rt, behind, load({}));
  config.listen(t.listener());
  REQUIRE(ready(config));
  for (int round = 1; round <= 3; ++round) {
    gate.refuse(true);
    gate.reset_all();
    server.command({"SET", key, document(30 + round)});
    publish(update(document(30 + round)));
    gate.refuse(false);
    REQUIRE(becomes(config, 30 + round));
    publish(update(document(40 + round)));
    REQUIRE(until(patience, [&] {
      publish(update(document(40 + round)));
      return connections(config) == 40 + round;
    }));
  }
  REQUIRE(until(patience, [&] { return t.last() == 43; }));
}

TEST_CASE_FIXTURE(fixture, "a server that is not there: the environment's document runs, and waiting has an end") {
  server.kill();
  gateway_config config(rt, pool, load({{"GATEWAY_CONFIG_FORCE_ENV_ON_STARTUP", "1"}}));
  auto r = ready(config, {.timeout = 100ms});
  REQUIRE_FALSE(r);
  CHECK(r.error().is(status::timeout));
  CHECK(r.error().message().find("within 100 ms; the settings of GATEWAY_CONFIG_JSON run meanwhile") != std::string::npos);
  CHECK(connections(config) == 10);
  auto later = config.async_ready(call{.timeout = call::unlimited}, boost::asio::use_future);
  server.start();
  REQUIRE(come(std::move(later)));
  CHECK(server.command({"EXISTS", key}).number == 1);
}

TEST_CASE_FIXTURE(fixture, "ends: destroyed at any time, closed with the pool, refused after the shutdown") {
  for (int i = 0; i < 20; ++i) {
    gateway_config config(rt, pool, load({}));
    if (i % 2 == 0) REQUIRE(ready(config));
  }
  REQUIRE(until(patience, [&] { return server.command({"PUBSUB", "NUMSUB", channel}).elements.at(1).number == 0; }));
  gateway_config config(rt, pool, load({}));
  REQUIRE(ready(config));
  REQUIRE(rt.shutdown(5s));
  CHECK(ready(config).error().is(status::closed));
  CHECK(connections(config) == 10);
}

TEST_CASE_FIXTURE(fixture, "a document with faults is not followed") {
  CHECK_THROWS_AS(gateway_config(rt, pool, load({{"GATEWAY_CONFIG_JSON", "{"}})), failure);
}

TEST_CASE("a pool without room for a subscription: the copy is read all the same") {
  redis_server server;
  runtime rt;
  redis_pool pool(rt, {.url = server.url(), .max_size = 1});
  server.command({"SET", key, document(17)});
  gateway_config config(rt, pool, load({}));
  REQUIRE(ready(config));
  CHECK(config.current()->pools.redis_max_connections == 17);
}
