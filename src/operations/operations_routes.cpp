#include "operations/operations_routes.hpp"

#include "json/document.hpp"
#include "json/writer.hpp"

#include <corbel/health.hpp>

#include <boost/asio/use_awaitable.hpp>

#include <charconv>
#include <map>
#include <memory>

namespace corbel {

namespace asio = boost::asio;

namespace {

using answer = asio::awaitable<http_response>;
using routes_ptr = std::shared_ptr<operations_routes>;

http_response json(std::string body) { return {.body = std::move(body)}; }

http_response failed(const error &why) {
  const bool mine = why.is(status::invalid);
  return http_refusal(mine ? 400 : 503, status_name(why.code()), why.message());
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  return ec == std::errc() && end == text.data() + text.size() ? std::optional(n) : std::nullopt;
}

std::string dead_json(const dead_page &page) {
  std::string out;
  json_writer w(out);
  w.begin_object().key("messages").begin_array();
  for (auto &m : page.messages) {
    w.begin_object().member("number", m.number).member("id", m.id).member("body", m.body).member("lane", m.lane);
    w.key("group").text_or_null(m.group).member("reason", m.reason).member("attempts", m.attempts);
    w.member("died_at", std::chrono::duration<double>(m.died_at.time_since_epoch()).count()).key("history").begin_array();
    for (auto &a : m.history)
      w.begin_object()
          .member("attempt", a.attempt)
          .member("at", std::chrono::duration<double>(a.at.time_since_epoch()).count())
          .member("by", a.by)
          .member("reason", a.reason)
          .end_object();
    w.end_array().end_object();
  }
  w.end_array().key("next");
  page.next ? w.value(*page.next) : w.value(nullptr);
  w.end_object();
  return out;
}

/// The numbers of a request's body; empty: all. An error where it says neither.
result<std::vector<std::uint64_t>> numbers_of(const std::string &body) {
  auto document = json_document::parse(body);
  if (!document) return document.error();
  auto object = document->root().object();
  if (!object) return object.error();
  auto all = object->boolean("all", false);
  if (!all) return all.error();
  if (*all) return std::vector<std::uint64_t>();
  auto given = object->array("numbers");
  if (!given) return given.error();
  std::vector<std::uint64_t> numbers;
  for (auto &v : *given) {
    auto n = v.integer();
    if (!n) return n.error();
    if (*n < 0) return error(status::invalid, v.path() + ": expected a number of a dead message, found a negative one");
    numbers.push_back(static_cast<std::uint64_t>(*n));
  }
  if (numbers.empty()) return error(status::invalid, "numbers: is empty; give some, or \"all\": true");
  return numbers;
}

answer show_dead(routes_ptr r, const http_request &q) {
  const auto after = q.parameter("after"), count = q.parameter("count");
  const auto a = after.empty() ? std::optional<std::uint64_t>() : number_of(after);
  const auto n = count.empty() ? std::optional<std::uint64_t>(50) : number_of(count);
  if ((!after.empty() && !a) || !n) co_return http_refusal(400, "bad_request", "after and count: expected numbers");
  auto page = co_await r->queue.async_dead(a, *n, {}, asio::use_awaitable);
  if (!page) co_return failed(page.error());
  co_return json(dead_json(*page));
}

answer change_dead(routes_ptr r, const http_request &q, bool requeue) {
  auto numbers = numbers_of(q.body);
  if (!numbers) co_return http_refusal(400, "bad_request", numbers.error().message());
  auto changed = requeue ? co_await r->queue.async_requeue(*std::move(numbers), {}, asio::use_awaitable)
                         : co_await r->queue.async_purge(*std::move(numbers), {}, asio::use_awaitable);
  if (!changed) co_return failed(changed.error());
  std::string out;
  json_writer(out).begin_object().member("status", "ok").member("count", *changed).end_object();
  co_return json(std::move(out));
}

answer set_level(routes_ptr r, const http_request &q) {
  static const std::map<std::string, log_level, std::less<>> levels = {{"error", log_level::error},
                                                                       {"warning", log_level::warning},
                                                                       {"info", log_level::info},
                                                                       {"debug", log_level::debug},
                                                                       {"off", log_level::off}};
  auto document = json_document::parse(q.body);
  auto object = document ? document->root().object() : result<json_object>(document.error());
  auto level = object ? object->text("level") : result<std::string_view>(object.error());
  auto part = object ? object->text("part", "") : result<std::string_view>(object.error());
  if (!level || !part) co_return http_refusal(400, "bad_request", (level ? part : level).error().message());
  auto found = levels.find(*level);
  if (found == levels.end())
    co_return http_refusal(400, "bad_request", "level: expected error, warning, info, debug or off");
  if (part->empty())
    r->rt.set_log_level(found->second);
  else
    r->rt.set_log_level(std::string(*part), found->second);
  co_return json(R"({"status": "ok"})");
}

answer show_queue(routes_ptr r) {
  auto stats = co_await r->queue.async_stats({}, asio::use_awaitable);
  if (!stats) co_return failed(stats.error());
  co_return json(stats->json());
}

}  // namespace

void operations_routes::add(http_router &router, const token_guard &guard, operations_routes given) {
  if (!guard.is_on()) return;
  auto r = std::make_shared<operations_routes>(std::move(given));
  auto add = [&](const char *method, const char *name, http_handler handler) {
    router.add(method, std::string("/admin/operations/") + name,
               {.handler = guard.guarded(std::move(handler)), .while_draining = true, .probe = true});
  };
  add("GET", "queue", [r](const http_request &) { return show_queue(r); });
  add("GET", "dead", [r](const http_request &q) { return show_dead(r, q); });
  add("POST", "dead/requeue", [r](const http_request &q) { return change_dead(r, q, true); });
  add("POST", "dead/purge", [r](const http_request &q) { return change_dead(r, q, false); });
  add("POST", "log-level", [r](const http_request &q) { return set_level(r, q); });
  add("GET", "configuration", [r](const http_request &) -> answer { co_return json(settings_json(*r->pools.settings())); });
  add("GET", "pools", [r](const http_request &) -> answer { co_return json(r->pools.json()); });
  add("GET", "bundles", [r](const http_request &) -> answer { co_return json(r->bundles ? r->bundles->json() : "{}"); });
  add("GET", "health", [r](const http_request &) -> answer { co_return json(health_json(health(r->rt))); });
  add("POST", "drain", [r](const http_request &) -> answer {
    if (!r->drain) co_return http_refusal(501, "not_here", "this host cannot be drained so");
    r->drain();
    co_return http_response{.status = 202, .body = R"({"status": "draining"})"};
  });
}

}  // namespace corbel
