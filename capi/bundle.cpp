#include "capi/bundle.hpp"

#include "json/writer.hpp"

#include <corbel/bundle_registry.hpp>
#include <corbel/gateway.hpp>

#include <map>

using namespace corbel;
using namespace corbel::capi;

struct corbel_bundle {
  bundle value;
};

namespace {

std::string notice_json(const bundle_event &e) {
  std::string out;
  json_writer w(out);
  w.begin_object().member("event", bundle_event_name(e.what)).member("id", e.id).key("commit").text_or_null(e.commit);
  w.key("previous")
      .text_or_null(e.previous)
      .key("path")
      .text_or_null(e.path)
      .key("error")
      .text_or_null(e.why.message())
      .member("bytes", e.bytes);
  w.member("files", e.files).member("took", e.took.count()).end_object();
  return out;
}

/// What a loader tells, as events.
class bundle_notices final : public detail::event_queue::source {
 public:
  bundle_notices(std::weak_ptr<detail::loader_core> core, std::uint64_t user) : core_(std::move(core)), user_(user) {}

  bool next(corbel_event &out) noexcept override {
    const auto core = core_.lock();
    bundle_event e;
    if (!core || !core->events().take(e)) return false;
    out.user = user_;
    out.source = CORBEL_SOURCE_BUNDLE;
    out.kind = CORBEL_EVENT_BUNDLE_NOTICE;
    out.value = static_cast<std::int64_t>(e.what);
    out.flags = e.dropped != 0 ? CORBEL_EVENT_DROPPED : 0;
    try {
      out.object = new corbel_text{notice_json(e)};
    } catch (const std::bad_alloc &) {
      out.status = CORBEL_NO_MEMORY;
    }
    return true;
  }

 private:
  std::weak_ptr<detail::loader_core> core_;
  std::uint64_t user_;
};

std::chrono::milliseconds ms_or(std::int64_t given, std::chrono::milliseconds otherwise) {
  return given == 0 ? otherwise : std::chrono::milliseconds(given);
}

template <class T>
T value_or(T given, T otherwise) {
  return given == 0 ? otherwise : given;
}

error read_access(const corbel_bundle_access *a, bundle_access &out) {
  corbel_bundle_access given;
  if (auto why = read_options(a, given, "corbel_bundle_access", CORBEL_ACCESS_ENVIRONMENT)) return why;
  std::map<std::string, const char *> members{{"GIT_HTTP_TOKEN", given.secret},
                                              {"GIT_HTTP_USER", given.user},
                                              {"GIT_HTTP_HOSTS", given.hosts},
                                              {"GIT_SSH_KEY_PATH", given.ssh_key},
                                              {"GIT_SSH_KNOWN_HOSTS", given.known_hosts},
                                              {"GIT_SSL_CAINFO", given.ca_file}};
  const auto environment = process_environment();
  out = bundle_access_from([&](const std::string &name) -> std::optional<std::string> {
    if (const char *value = members[name]) return value;
    return (given.flags & CORBEL_ACCESS_ENVIRONMENT) != 0 ? environment(name) : std::nullopt;
  });
  return {};
}

error read_lock(const corbel_bundle_lock *l, bundle_lock_options &out) {
  corbel_bundle_lock given;
  if (auto why = read_options(l, given, "corbel_bundle_lock")) return why;
  if (!given.redis) return invalid("corbel_bundle_lock.redis is NULL");
  if (given.ttl_ms < 0) return invalid("corbel_bundle_lock.ttl_ms is negative");
  out.redis = given.redis->value;
  out.tenant = text_or(given.tenant, out.tenant.c_str());
  out.project = text_or(given.project, out.project.c_str());
  out.ttl = ms_or(given.ttl_ms, out.ttl);
  return {};
}

error read_open_options(const corbel_bundles_options *o, corbel_bundles_options &given, bundles_options &out) {
  if (auto why = read_options(o, given, "corbel_bundles_options", CORBEL_BUNDLES_PLATFORM)) return why;
  if (!given.root) return invalid("corbel_bundles_options.root is NULL");
  if (given.network_ms < 0 || given.keep_ms < 0 || given.retry_first_ms < 0 || given.retry_most_ms < 0)
    return invalid("corbel_bundles_options has a negative time");
  out.root = given.root;
  out.program = text_or(given.program, "");
  out.network_timeout = ms_or(given.network_ms, out.network_timeout);
  out.max_bytes = value_or(given.max_bytes, out.max_bytes);
  out.max_files = value_or(given.max_files, out.max_files);
  out.max_path = value_or<std::uint64_t>(given.max_path, out.max_path);
  out.max_running = value_or<unsigned>(given.max_running, out.max_running);
  out.keep = value_or(given.keep, out.keep);
  out.keep_for = std::chrono::ceil<std::chrono::seconds>(std::chrono::milliseconds(given.keep_ms));
  out.keep_bytes = given.keep_bytes;
  out.retry_first = ms_or(given.retry_first_ms, out.retry_first);
  out.retry_most = std::max(ms_or(given.retry_most_ms, out.retry_most), out.retry_first);
  out.max_notices = value_or(given.max_notices, out.max_notices);
  if ((given.flags & CORBEL_BUNDLES_PLATFORM) != 0) out.layout = bundle_layout::platform;
  if (given.access)
    if (auto why = read_access(given.access, out.access)) return why;
  return given.lock ? read_lock(given.lock, out.lock) : error();
}

error read_source(const corbel_bundle_source *s, bundle_source &out) {
  corbel_bundle_source given;
  if (auto why = read_options(s, given, "corbel_bundle_source", CORBEL_BUNDLE_OPTIONAL | CORBEL_BUNDLE_SUBMODULES))
    return why;
  if (!given.id || !given.url) return invalid("corbel_bundle_source.id or .url is NULL");
  if (given.follow_ms < 0) return invalid("corbel_bundle_source.follow_ms is negative");
  out = {.id = given.id,
         .url = given.url,
         .ref = text_or(given.ref, ""),
         .subdir = text_or(given.subdir, ""),
         .user = text_or(given.user, ""),
         .secret = text_or(given.secret, ""),
         .ssh_key = text_or(given.ssh_key, ""),
         .known_hosts = text_or(given.known_hosts, ""),
         .ca_file = text_or(given.ca_file, ""),
         .follow = std::chrono::milliseconds(given.follow_ms),
         .submodules = (given.flags & CORBEL_BUNDLE_SUBMODULES) != 0,
         .required = (given.flags & CORBEL_BUNDLE_OPTIONAL) == 0};
  return {};
}

}  // namespace

corbel_status corbel_bundles_open(corbel_runtime *rt, const corbel_bundles_options *o, corbel_bundles **out,
                                  corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!rt || !out) return invalid("the runtime or the out-parameter is NULL");
    corbel_bundles_options given;
    bundles_options options;
    if (auto why = read_open_options(o, given, options)) return why;
    if (auto why = rt->core().refusal()) return why;
    auto made = std::unique_ptr<corbel_bundles>(new corbel_bundles{bundles(rt->value, std::move(options))});
    if (given.to) {
      auto source = std::make_shared<bundle_notices>(made->value.core(), given.user);
      made->core().events().on_put([source, q = std::weak_ptr(given.to->queue)] {
        if (auto queue = q.lock()) queue->notify(source);
      });
    }
    *out = made.release();
    return {};
  });
}

corbel_status corbel_bundles_load(corbel_bundles *l, const corbel_bundle_source *s, const corbel_call *c, corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    bundle_source source;
    if (auto why = read_source(s, source)) return why;
    call options;
    std::optional<event_handler<bundle>> handler;
    if (auto why = begin_bundle_call<bundle>(
            l, true, c, t, options,
            [](completion &done, result<bundle> r) {
              if (r)
                done.succeed(CORBEL_EVENT_BUNDLE, 0, new corbel_bundle{std::move(*r)});
              else
                done.fail(CORBEL_EVENT_BUNDLE, r.error());
            },
            handler))
      return why;
    l->value.async_load(std::move(source), options, std::move(*handler));
    return {};
  });
}

corbel_status corbel_bundles_pin(corbel_bundles *l, const char *id, corbel_bundle **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!l || !id || !out) return invalid("the loader, the id or the out-parameter is NULL");
    auto pinned = l->value.pin(id);
    if (!pinned) return pinned.error();
    *out = new corbel_bundle{std::move(*pinned)};
    return {};
  });
}

corbel_status corbel_bundles_forget(corbel_bundles *l, const char *id, const corbel_call *c, corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    if (!id) return invalid("the id is NULL");
    call options;
    std::optional<event_handler<void>> handler;
    if (auto why = begin_bundle_call<void>(
            l, false, c, t, options,
            [](completion &done, result<void> r) {
              if (r)
                done.succeed(CORBEL_EVENT_DONE, 0, nullptr);
              else
                done.fail(CORBEL_EVENT_DONE, r.error());
            },
            handler))
      return why;
    l->value.async_forget(id, options, std::move(*handler));
    return {};
  });
}

corbel_status corbel_bundles_prune(corbel_bundles *l, const corbel_call *c, corbel_ticket *t) {
  return guard(c ? c->err : nullptr, [&]() -> error {
    call options;
    std::optional<event_handler<std::size_t>> handler;
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
    l->value.async_prune(options, std::move(*handler));
    return {};
  });
}

corbel_status corbel_bundles_json(corbel_bundles *l, corbel_text **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!l || !out) return invalid("the loader or the out-parameter is NULL");
    if (l->core().runtime().forked()) return detail::forked_error();
    *out = new corbel_text{bundles_json(l->value.status())};
    return {};
  });
}

void corbel_bundles_free(corbel_bundles *l) {
  if (l) free_handle(l, l->core().runtime().forked());
}

const char *corbel_bundle_id(const corbel_bundle *b) { return b ? b->value.id().c_str() : ""; }
const char *corbel_bundle_commit(const corbel_bundle *b) { return b ? b->value.commit().c_str() : ""; }
const char *corbel_bundle_path(const corbel_bundle *b) { return b ? b->value.path().c_str() : ""; }
const char *corbel_bundle_folder(const corbel_bundle *b) { return b ? b->value.folder().c_str() : ""; }
void corbel_bundle_free(corbel_bundle *b) { delete b; }

corbel_status corbel_bundle_registry_read(const char *text, size_t size, corbel_text **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if ((!text && size != 0) || !out) return invalid("the text or the out-parameter is NULL");
    *out = new corbel_text{bundle_registry_json(read_bundle_registry({text ? text : "", size}))};
    return {};
  });
}
