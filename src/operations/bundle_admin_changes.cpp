#include "operations/bundle_admin_changes.hpp"

#include "base/utc_time.hpp"
#include "json/document.hpp"
#include "operations/registry_change.hpp"

#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace asio = boost::asio;

namespace corbel::detail {

namespace {

constexpr int most_tries = 20;

/// KEYS: the registry, then the props. ARGV: what was read of it, what it becomes, the channel, the message, then the props'
/// values. How many got the message; -1: it is another one by now.
constexpr const char *write_script = R"lua(
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return -1 end
redis.call('SET', KEYS[1], ARGV[2])
for i = 2, #KEYS do redis.call('SET', KEYS[i], ARGV[i + 3]) end
return redis.call('PUBLISH', ARGV[3], ARGV[4])
)lua";

http_response bad(const error &why) { return http_refusal(400, "bad_request", why.message()); }
http_response away(const error &why) { return http_refusal(503, status_name(why.code()), why.message()); }
http_response unknown(const std::string &id) {
  return http_refusal(404, "bundle.unknown", "there is no bundle '" + id + "'");
}

struct names {
  explicit names(const bundle_admin_routes &r)
      : scope(r.who.tenant + ":" + r.who.project),
        registry(bundle_registry_key({.tenant = r.who.tenant, .project = r.who.project})),
        updates(bundle_update_channel({.tenant = r.who.tenant, .project = r.who.project})) {}
  std::string props(const std::string &id) const { return "kdcube:config:bundles:props:" + scope + ":" + id; }
  std::string scope, registry, updates;
};

/// A message's first members, and the object left open.
json_writer &open_message(json_writer &w, const bundle_admin_routes &r, std::string_view type) {
  return w.begin_object()
      .member("type", type)
      .member("tenant", r.who.tenant)
      .member("project", r.who.project)
      .member("updated_by", r.who.instance)
      .member("ts", utc_text(std::chrono::system_clock::now()));
}

http_response show_props(const bundle_admin_routes &r, const std::string &id, std::string props) {
  http_response out;
  json_writer w(out.body);
  w.begin_object().member("bundle_id", id).member("tenant", r.who.tenant).member("project", r.who.project);
  w.key("props").raw(props.empty() ? "{}" : props).key("defaults").begin_object().end_object().end_object();
  return out;
}

}  // namespace

void write_authority(json_writer &w, const bundle_admin_routes &r) {
  w.key("authority").begin_object().member("kind", r.file.empty() ? "redis" : "file");
  w.member("label", r.file.empty() ? "registry in Redis" : "bundles.yaml").key("description").value(nullptr);
  w.key("detail").text_or_null(r.file).end_object();
}

const bundle_entry *entry_of(const bundle_registry &all, std::string_view id) {
  const auto it = std::ranges::find(all.entries, id, &bundle_entry::id);
  return it == all.entries.end() ? nullptr : &*it;
}

operator_answer update_registry(const bundle_admin_routes &r, const json_object &body) {
  if (!r.file.empty()) co_return http_refusal(409, "bundle.file", "the registry is the file " + r.file + ": change that");
  const names n(r);
  for (int i = 0; i < most_tries; ++i) {
    auto read = co_await r.redis.async_send(redis_command("GET", n.registry), asio::use_awaitable);
    if (!read) co_return away(read.error());
    const auto change = change_registry(read->root().text(), body);
    if (!change) co_return bad(change.error());
    std::string message;
    json_writer w(message);
    open_message(w, r, "bundles.update").member("op", body.text("op", "merge").value());
    w.key("bundles").raw(change->bundles).member("default_bundle_id", change->default_id).end_object();
    redis_command command("EVAL", write_script, change->props.size() + 1, n.registry);
    for (const auto &[id, props] : change->props) command.push(n.props(id));
    command.push(read->root().text()).push(change->registry).push(n.updates).push(message);
    for (const auto &[id, props] : change->props) command.push(props);
    auto wrote = co_await r.redis.async_send(std::move(command), asio::use_awaitable);
    if (!wrote) co_return away(wrote.error());
    if (wrote->root().integer() < 0) continue;
    http_response out;
    json_writer(out.body)
        .begin_object()
        .member("status", "ok")
        .member("default_bundle_id", change->default_id)
        .member("count", change->count)
        .end_object();
    co_return out;
  }
  co_return http_refusal(503, "busy", "others change the registry all the time: try again");
}

operator_answer reload_registry(const bundle_admin_routes &r, const json_object &body) {
  const auto all = r.registry();
  const auto id = std::string(body.text("bundle_id", "").value());
  if (!id.empty() && !(all && entry_of(*all, id))) co_return bad(error(status::invalid, "there is no bundle '" + id + "'"));
  std::string message;
  json_writer w(message);
  open_message(w, r, "bundles.update").member("op", "merge").key("bundles").begin_object().end_object();
  w.key("changed_bundle_ids").begin_array();
  for (const auto &e : all ? all->entries : std::vector<bundle_entry>())
    if (id.empty() || id == e.id) w.value(e.id);
  w.end_array().end_object();
  auto told = co_await r.redis.async_send(redis_command("PUBLISH", names(r).updates, message), asio::use_awaitable);
  if (!told) co_return away(told.error());
  http_response out;
  json_writer o(out.body);
  o.begin_object().member("status", "ok").member("source", "authority");
  o.member("default_bundle_id", all ? all->default_id : "").member("count", all ? all->entries.size() : 0);
  o.key("bundle_id").text_or_null(id).member("broadcast_receivers", told->root().integer());
  write_authority(o, r);
  o.end_object();
  co_return out;
}

operator_answer clean_up_bundles(const bundle_admin_routes &r, const json_object &body) {
  auto removed = co_await r.loader.async_prune({}, asio::use_awaitable);
  if (!removed) co_return away(removed.error());
  std::string message;
  json_writer w(message);
  open_message(w, r, "bundles.cleanup").member("drop_sys_modules", body.boolean("drop_sys_modules", true).value());
  w.end_object();
  const auto channel = "kdcube:config:bundles:cleanup:" + names(r).scope;
  auto told = co_await r.redis.async_send(redis_command("PUBLISH", channel, message), asio::use_awaitable);
  if (!told) co_return away(told.error());
  http_response out;
  json_writer(out.body).begin_object().member("status", "ok").member("removed_commits", *removed).end_object();
  co_return out;
}

operator_answer bundle_props(const bundle_admin_routes &r, const std::string &id, const json_object *body) {
  const auto all = r.registry();
  const auto *entry = all ? entry_of(*all, id) : nullptr;
  if (!entry) co_return unknown(id);
  const names n(r);
  auto read = co_await r.redis.async_send(redis_command("GET", n.props(id)), asio::use_awaitable);
  if (!read) co_return away(read.error());
  auto now = read->root().is_nil() ? (entry->config.empty() ? "{}" : entry->config) : std::string(read->root().text());
  if (!body) co_return show_props(r, id, std::move(now));
  if (!r.file.empty()) co_return http_refusal(409, "bundle.file", "the registry is the file " + r.file + ": change that");
  const auto op = body->text("op", "replace");
  const auto given = body->object("props");
  if (!given) co_return bad(given.error());
  if (!op || (*op != "replace" && *op != "merge"))
    co_return bad(error(status::invalid, "op: give \"replace\" or \"merge\""));
  const auto before = json_document::parse(now);
  if (!before) co_return away(before.error());
  const auto wanted = *body->find("props");
  std::string next;
  if (*op == "merge")
    next = merge_json(before->root(), wanted);
  else
    json_writer(next).value(wanted);
  std::string message;
  json_writer w(message);
  open_message(w, r, "bundles.props.update").member("bundle_id", id).end_object();
  const auto channel = "kdcube:config:bundles:props:update:" + n.scope;
  redis_command command("EVAL", write_script, 1, n.props(id));
  command.push(read->root().text()).push(next).push(channel).push(message);
  auto wrote = co_await r.redis.async_send(std::move(command), asio::use_awaitable);
  if (!wrote) co_return away(wrote.error());
  if (wrote->root().integer() < 0) co_return http_refusal(503, "busy", "somebody else changes these settings: try again");
  co_return show_props(r, id, std::move(next));
}

}  // namespace corbel::detail
