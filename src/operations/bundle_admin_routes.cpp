#include "operations/bundle_admin_routes.hpp"

#include "json/document.hpp"
#include "json/writer.hpp"
#include "operations/bundle_admin_changes.hpp"
#include "operations/registry_change.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>

namespace asio = boost::asio;

namespace corbel {

namespace {

using answer = asio::awaitable<http_response>;
using routes_ptr = std::shared_ptr<const bundle_admin_routes>;
using work = std::function<answer(const bundle_admin_routes &, const json_object &body)>;

constexpr std::string_view begin = "/admin/integrations/bundles";

http_response bad(const error &why) { return http_refusal(400, "bad_request", why.message()); }

http_response list(const bundle_admin_routes &r) {
  const auto all = r.registry();
  if (!all) return http_refusal(503, "bundle.registry", "the registry was not read yet");
  const auto known = r.loader.status();
  http_response out;
  json_writer w(out.body);
  w.begin_object().member("tenant", r.who.tenant).member("project", r.who.project).key("available_bundles").begin_object();
  for (const auto &e : all->entries) {
    const auto document = json_document::parse(registry_entry_json(e));
    w.key(e.id).begin_object().key("version").value(nullptr);
    for (const auto &[name, value] : document->root().object()->members())
      if (name != "git_commit") w.key(name).value(value);
    const auto s = std::ranges::find(known, e.id, &bundle_status::id);
    const bool loaded = s != known.end() && !s->commit.empty();
    w.key("git_commit").text_or_null(loaded ? s->commit : e.git_commit);
    w.key("error").text_or_null(s != known.end() ? s->why.message() : "").end_object();
  }
  w.end_object().member("default_bundle_id", all->default_id);
  detail::write_authority(w, r);
  w.end_object();
  return out;
}

answer status_of(const bundle_admin_routes &r, const json_object &body) {
  const auto id = std::string(body.text("bundle_id", "").value());
  const auto all = r.registry();
  const auto *entry = all ? detail::entry_of(*all, id) : nullptr;
  const auto known = r.loader.status();
  const auto s = std::ranges::find(known, id, &bundle_status::id);
  const bool loaded = s != known.end() && !s->commit.empty();
  std::error_code ec;
  http_response out;
  json_writer w(out.body);
  w.begin_object().member("status", "ok").member("tenant", r.who.tenant);
  w.member("project", r.who.project).member("bundle_id", id).member("declared", entry != nullptr).member("loaded", loaded);
  w.member("cached_before", loaded).member("cached_after", loaded).key("entry");
  entry ? w.raw(registry_entry_json(*entry)) : w.value(nullptr);
  w.key("git_commit").text_or_null(loaded ? s->commit : "");
  w.member("path_exists", loaded ? std::filesystem::is_directory(s->path, ec)
                                 : entry && !entry->path.empty() && std::filesystem::is_directory(entry->path, ec));
  w.key("interface").value(nullptr).key("last_error");
  if (s != known.end() && s->why) {
    w.begin_object().member("type", s->why.native()).member("message", s->why.message());
    w.member("where", s->why.source()).key("traceback_tail").value(nullptr).end_object();
  } else {
    w.value(nullptr);
  }
  detail::write_authority(w, r);
  w.end_object();
  co_return out;
}

/// With the body as an object; an empty one counts as {}.
http_handler with_body(routes_ptr r, work what) {
  return [r = std::move(r), what = std::move(what)](const http_request &request) -> answer {
    const auto document = json_document::parse(request.body.empty() ? std::string_view("{}") : request.body);
    if (!document) co_return bad(document.error());
    const auto body = document->root().object();
    if (!body) co_return bad(body.error());
    for (const auto &[name, mine] : {std::pair{"tenant", &r->who.tenant}, {"project", &r->who.project}}) {
      const auto given = body->text(name, *mine);
      if (!given || *given != *mine)
        co_return bad(error(status::invalid, std::string(name) + ": this host serves " + *mine));
    }
    try {
      co_return co_await what(*r, *body);
    } catch (const failure &f) {
      co_return bad(f.error());
    }
  };
}

/// Callers on this machine, and not through a proxy.
http_handler near(http_handler handler) {
  return [handler = std::move(handler)](const http_request &q) -> answer {
    const bool is_near = q.peer == "127.0.0.1" || q.peer == "::1" || q.peer == "::ffff:127.0.0.1";
    if (!is_near || !q.field("X-Forwarded-For").empty() || !q.field("Forwarded").empty())
      co_return http_refusal(403, "forbidden", "only this machine may");
    co_return co_await handler(q);
  };
}

answer of_one(const routes_ptr &r, const http_request &q) {
  constexpr std::string_view end = "/props";
  const auto rest = std::string_view(q.path).substr(begin.size() + 1);
  if (!rest.ends_with(end) || rest.size() == end.size())
    co_return http_refusal(404, "not_found", "there is nothing at " + q.path);
  const auto id = std::string(rest.substr(0, rest.size() - end.size()));
  if (q.method != "POST") co_return co_await detail::bundle_props(*r, id, nullptr);
  co_return co_await with_body(r, [&id](const bundle_admin_routes &same, const json_object &body) {
    return detail::bundle_props(same, id, &body);
  })(q);
}

}  // namespace

void bundle_admin_routes::add(http_router &router, const token_guard &guard, bundle_admin_routes given) {
  const auto r = std::make_shared<const bundle_admin_routes>(std::move(given));
  const std::string admin(begin), internal = "/internal/bundles/";
  for (const auto &[name, what] : {std::pair<const char *, work>{"update", detail::update_registry},
                                   {"reload-authority", detail::reload_registry},
                                   {"status", status_of}})
    router.add("POST", internal + name, {.handler = near(with_body(r, what))});
  if (!guard.is_on()) return;
  router.add("GET", admin, {.handler = guard.guarded([r](const http_request &) -> answer { co_return list(*r); })});
  router.add("POST", admin, {.handler = guard.guarded(with_body(r, detail::update_registry))});
  router.add("POST", admin + "/reload-authority", {.handler = guard.guarded(with_body(r, detail::reload_registry))});
  router.add("POST", admin + "/cleanup", {.handler = guard.guarded(with_body(r, detail::clean_up_bundles))});
  for (const char *method : {"GET", "POST"})
    router.add(method, admin + "/*",
               {.handler = guard.guarded([r](const http_request &q) -> answer { co_return co_await of_one(r, q); })});
}

}  // namespace corbel
