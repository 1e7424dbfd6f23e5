#include "capi/guard.hpp"
#include "redis/protocol/reply_reader.hpp"

#include <string_view>

namespace corbel::capi {

namespace {
corbel_error out_of_memory{error::out_of_memory()};
}

corbel_error *make_error(const error &e) noexcept {
  auto *made = new (std::nothrow) corbel_error{e};
  return made ? made : &out_of_memory;
}

}  // namespace corbel::capi

using namespace corbel::capi;

uint32_t corbel_version(void) { return CORBEL_VERSION; }

const char *corbel_version_string(void) { return "0.1.0"; }

int corbel_header_compatible(uint32_t header_version) {
  // The same major version, and no newer minor one than ours.
  return header_version >> 24 == CORBEL_VERSION >> 24 && header_version >> 16 <= CORBEL_VERSION >> 16;
}

int corbel_has_feature(const char *name) {
  if (!name) return 0;
  const std::string_view n = name;
  if (n == "deep_replies") return corbel::reply_reader::has_settable_depth();
  return n == "redis" || n == "postgres" || n == "tls" || n == "queue" || n == "health" || n == "gateway" || n == "git";
}

const char *corbel_status_name(corbel_status s) { return corbel::status_name(static_cast<corbel::status>(s)); }

corbel_status corbel_options_init(void *options, const char *type, size_t size) {
  struct known {
    std::string_view name;
    size_t first;  // its size in the oldest header that a program may have been compiled with
    size_t size;
  };
  static constexpr known all[] = {
      {"call", 40, sizeof(corbel_call)},
      {"runtime_options", 56, sizeof(corbel_runtime_options)},
      {"redis_options", 128, sizeof(corbel_redis_options)},
      {"sub_options", 32, sizeof(corbel_sub_options)},
      {"monitor_options", 40, sizeof(corbel_monitor_options)},
      {"queue_options", 56, sizeof(corbel_queue_options)},
      {"queue_admission", 104, sizeof(corbel_queue_admission)},
      {"put", 64, sizeof(corbel_put)},
      {"settle", 32, sizeof(corbel_settle)},
      {"health_report", 40, sizeof(corbel_health_report)},
      {"pg_options", 112, sizeof(corbel_pg_options)},
      {"pg_statement", 48, sizeof(corbel_pg_statement)},
      {"pg_begin", 16, sizeof(corbel_pg_begin)},
      {"pg_listener_options", 32, sizeof(corbel_pg_listener_options)},
      {"bundles_options", 112, sizeof(corbel_bundles_options)},
      {"bundle_source", 88, sizeof(corbel_bundle_source)},
      {"bundle_runner_options", 40, sizeof(corbel_bundle_runner_options)},
      {"http_options", 96, sizeof(corbel_http_options)},
      {"http_answer", 64, sizeof(corbel_http_answer)},
      {"metric_options", 72, sizeof(corbel_metric_options)},
  };
  if (!options || !type) return CORBEL_INVALID;
  for (auto &k : all) {
    if (k.name != type) continue;
    if (size < k.first || size > k.size || size % alignof(uint64_t) != 0) return CORBEL_INVALID;
    std::memset(options, 0, size);
    const auto struct_size = static_cast<uint32_t>(size);
    std::memcpy(options, &struct_size, sizeof struct_size);
    return CORBEL_OK;
  }
  return CORBEL_INVALID;
}

corbel_status corbel_error_status(const corbel_error *e) {
  return e ? static_cast<corbel_status>(e->value.code()) : CORBEL_OK;
}

const char *corbel_error_message(const corbel_error *e) { return e ? e->value.message().c_str() : ""; }

const char *corbel_error_source(const corbel_error *e) { return e ? e->value.source().c_str() : ""; }

const char *corbel_error_native(const corbel_error *e) { return e ? e->value.native().c_str() : ""; }

const char *corbel_error_field(const corbel_error *e, const char *name) {
  const auto *text = e && name ? e->value.field(name) : nullptr;
  return text ? text->c_str() : nullptr;
}

uint32_t corbel_error_flags(const corbel_error *e) { return e ? e->value.flags() : 0; }

void corbel_error_free(corbel_error *e) {
  if (e != &out_of_memory) delete e;
}

corbel_status corbel_text_bytes(const corbel_text *t, corbel_bytes *out) {
  if (!t || !out) return CORBEL_INVALID;
  *out = {t->value.c_str(), t->value.size()};
  return CORBEL_OK;
}

void corbel_text_free(corbel_text *t) { delete t; }
