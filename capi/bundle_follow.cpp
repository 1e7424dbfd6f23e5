// The followed registry, and deliveries of webhooks.
#include "capi/bundle.hpp"
#include "json/writer.hpp"

#include <corbel/bundle_registry.hpp>
#include <corbel/bundle_webhook.hpp>
#include <corbel/gateway.hpp>

using namespace corbel;
using namespace corbel::capi;

namespace {

error read_follow_options(const corbel_bundle_follow_options *o, bundle_follow_options &out) {
  corbel_bundle_follow_options given;
  if (auto why = read_options(o, given, "corbel_bundle_follow_options", CORBEL_BUNDLE_OPTIONAL | CORBEL_FOLLOW_ENVIRONMENT))
    return why;
  if (given.file_look_ms < 0 || given.follow_ms < -1) return invalid("corbel_bundle_follow_options has a negative time");
  const bool ask = (given.flags & CORBEL_FOLLOW_ENVIRONMENT) != 0;
  const auto environment = process_environment();
  const auto text = [&](const char *member, const char *name, const std::string &otherwise) {
    if (member) return std::string(member);
    auto value = ask ? environment(name) : std::nullopt;
    return value && !value->empty() ? *value : otherwise;
  };
  out.tenant = text(given.tenant, "TENANT_ID", out.tenant);
  out.project = text(given.project, "PROJECT_ID", out.project);
  out.file = given.file ? given.file : ask ? find_bundles_file(environment) : "";
  if (given.file_look_ms != 0) out.file_look = std::chrono::milliseconds(given.file_look_ms);
  if (given.follow_ms != 0) out.follow = std::chrono::milliseconds(std::max<std::int64_t>(given.follow_ms, 0));
  out.required = (given.flags & CORBEL_BUNDLE_OPTIONAL) == 0;
  return {};
}

error not_followed() { return error(status::state, "no registry is followed: call corbel_bundles_follow first", "bundle"); }

std::string_view view(const corbel_bytes &b) { return {static_cast<const char *>(b.data), b.data ? b.size : 0}; }

}  // namespace

corbel_status corbel_bundles_follow(corbel_bundles *l, corbel_redis *redis, const corbel_bundle_follow_options *o,
                                    corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!l) return invalid("the loader is NULL");
    bundle_follow_options options;
    if (auto why = read_follow_options(o, options)) return why;
    if (auto why = l->core().runtime().refusal()) return why;
    std::lock_guard lock(l->mutex);
    if (l->followed) return error(status::state, "the loader follows a registry already", "bundle");
    l->followed.emplace(l->value, redis ? std::optional(redis->value) : std::nullopt, std::move(options));
    return {};
  });
}

corbel_status corbel_bundles_ready(corbel_bundles *l, const corbel_call *c, corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    call options;
    std::optional<event_handler<std::size_t>> handler;
    if (!l) return invalid("the loader is NULL");
    if (auto why = l->core().runtime().refusal()) return why;
    std::lock_guard lock(l->mutex);
    if (!l->followed) return not_followed();
    if (auto why = begin_bundle_call<std::size_t>(
            l, false, c, t, options,
            [](completion &done, result<std::size_t> r) {
              if (r)
                done.succeed(CORBEL_EVENT_DONE, static_cast<std::int64_t>(*r), nullptr);
              else
                done.fail(CORBEL_EVENT_DONE, r.error());
            },
            handler))
      return why;
    l->followed->async_ready(options, std::move(*handler));
    return {};
  });
}

corbel_status corbel_bundles_registry(corbel_bundles *l, corbel_text **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!l || !out) return invalid("the loader or the out-parameter is NULL");
    if (l->core().runtime().forked()) return detail::forked_error();
    std::lock_guard lock(l->mutex);
    if (!l->followed) return not_followed();
    *out = new corbel_text{bundle_registry_json(*l->followed->registry())};
    return {};
  });
}

corbel_status corbel_bundles_look(corbel_bundles *l, const char *id, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!l || !id) return invalid("the loader or the id is NULL");
    if (auto why = l->core().runtime().refusal()) return why;
    if (l->value.look(id)) return {};
    return error(status::invalid, fmt::format("there is no bundle '{}': load it first", id), "bundle", "UNKNOWN");
  });
}

corbel_status corbel_webhook_verify(const char *secret, const corbel_webhook *w, corbel_text **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    corbel_webhook given;
    if (!secret) return invalid("the secret is NULL");
    if (auto why = read_options(w, given, "corbel_webhook")) return why;
    auto push = verify_webhook(secret, {.signature = view(given.signature),
                                        .token = view(given.token),
                                        .event = view(given.event),
                                        .body = view(given.body)});
    if (!push) return push.error();
    if (!out) return {};
    std::string text;
    json_writer json(text);
    json.begin_object().member("sender", push->sender == webhook_sender::github ? "github" : "gitlab");
    json.member("event", push->event).key("ref").text_or_null(push->ref).member("push", push->is_push).end_object();
    *out = new corbel_text{std::move(text)};
    return {};
  });
}
