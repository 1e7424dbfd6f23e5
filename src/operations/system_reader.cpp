#include "operations/system_reader.hpp"

#include "json/document.hpp"
#include "queue/fleet/names.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace corbel {

namespace asio = boost::asio;

namespace {
constexpr const char *user_types[] = {"anonymous", "external", "registered", "privileged", "paid"};
constexpr const char *services[] = {"chat:rest", "chat:proc", "kb:rest"};
/// What is there, else nothing of its kind.
template <class T>
T given(result<T> r) {
  return r ? *std::move(r) : T{};
}
const call soon{.timeout = std::chrono::milliseconds(2000), .idempotent = true};
}  // namespace

system_reader::system_reader(redis_pool redis, std::string tenant, std::string project, queue_options queue)
    : redis_(std::move(redis)),
      scope_(tenant + ":" + project),
      tenant_(std::move(tenant)),
      project_(std::move(project)),
      queue_(redis_, std::move(queue)) {}

asio::awaitable<std::vector<std::string>> system_reader::members(std::string index) const {
  std::vector<std::string> found;
  auto reply = co_await redis_.async_send(redis_command("ZRANGE", index, 0, -1), soon, asio::use_awaitable);
  if (reply)
    for (auto &e : reply->root().elements()) found.emplace_back(e.text());
  co_return found;
}

asio::awaitable<std::vector<std::optional<std::string>>> system_reader::get(std::vector<std::string> keys,
                                                                            std::string &error) const {
  std::vector<std::optional<std::string>> values(keys.size());
  if (keys.empty()) co_return values;
  auto reply = co_await redis_.async_send(redis_command("MGET").push_all(keys), soon, asio::use_awaitable);
  if (!reply) {
    error = reply.error().message();
    co_return values;
  }
  for (std::size_t i = 0; i < values.size(); ++i)
    if (const auto &e = reply->root()[i]; e.has_bytes()) values[i] = std::string(e.text());
  co_return values;
}

asio::awaitable<std::vector<latency_sample>> system_reader::latencies(const char *kind, const char *component,
                                                                      double now) const {
  std::vector<latency_sample> found;
  auto reply = co_await redis_.async_send(redis_command("ZREVRANGEBYSCORE", latency_key(tenant_, project_, kind, component),
                                                        "+inf", fmt::format("{:.6f}", now - 3600), "LIMIT", 0, 5000),
                                          soon, asio::use_awaitable);
  if (reply)
    for (auto &e : reply->root().elements())
      if (auto s = latency_sample::parse(e.text())) found.push_back(*s);
  co_return found;
}

asio::awaitable<system_view> system_reader::read() const {
  system_view view;
  view.at = std::chrono::system_clock::now();
  std::vector<std::string> keys;
  for (auto service : services)
    for (auto &key : co_await members(detail::fleet_names(tenant_, project_, service).index)) keys.push_back(key);
  for (auto &key : co_await members(scope_ + ":corbel:draining:index")) keys.push_back(key);
  for (auto &text : co_await get(keys, view.error))
    if (text)
      if (auto p = seen_process::parse(*text)) view.processes.push_back(*std::move(p));

  std::vector<std::string> more, ids;
  for (auto type : user_types) more.push_back(scope_ + ":kdcube:chat:prompt:queue:analytics:" + type);
  for (auto *p : view.of("rest")) {
    ids.push_back(p->instance + ":" + std::to_string(p->pid));
    more.push_back(scope_ + ":kdcube:chat:sse:connections:" + ids.back());
  }
  auto values = co_await get(more, view.error);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) continue;
    auto document = json_document::parse(*values[i]);
    auto object = document ? document->root().object() : result<json_object>(document.error());
    if (!object) continue;
    if (i < std::size(user_types)) {
      view.analytics[user_types[i]] = *values[i];
    } else {
      view.streams[ids[i - std::size(user_types)]] = {given(object->integer("count")), given(object->integer("sessions")),
                                                      given(object->integer("max"))};
    }
  }

  auto events = co_await redis_.async_send(redis_command("ZREVRANGE", scope_ + ":kdcube:throttling:events", 0, 999), soon,
                                           asio::use_awaitable);
  if (events)
    for (auto &e : events->root().elements()) {
      auto document = json_document::parse(e.text());
      auto object = document ? document->root().object() : result<json_object>(document.error());
      if (!object) continue;
      view.throttled.push_back(
          {given(object->number("timestamp")), given(object->integer("http_status")), std::string(e.text())});
    }
  view.rest = co_await latencies("ingress_rest_ms", "ingress", view.seconds());
  view.queue_wait = co_await latencies("task_queue_wait_ms", "proc", view.seconds());
  view.exec = co_await latencies("task_exec_ms", "proc", view.seconds());
  auto queue = queue_;
  if (auto stats = co_await queue.async_stats(soon, asio::use_awaitable))
    view.queue = *std::move(stats);
  else
    view.error = stats.error().message();
  co_return view;
}

}  // namespace corbel
