#include "capi/cancel_point.hpp"
#include "events/wake_thread.hpp"

#include <corbel/trace.hpp>

#include <deque>
#include <mutex>

using namespace corbel;
using namespace corbel::capi;

namespace {

/// Log lines on their way to a slow reader: the oldest are dropped and counted.
class log_source final : public detail::event_queue::source {
 public:
  explicit log_source(std::size_t limit) : limit_(limit) {}
  void put(const log_line &line) {
    std::lock_guard lock(mutex_);
    if (lines_.size() >= limit_) {
      lines_.pop_front();
      ++dropped_;
    }
    auto &[level, text] = lines_.emplace_back();
    level = line.level;
    text = fmt::format("{}: {}", line.part, line.text);
  }
  bool next(corbel_event &out) noexcept override {
    std::lock_guard lock(mutex_);
    if (lines_.empty()) return false;
    out.kind = CORBEL_EVENT_LOG;
    out.source = CORBEL_SOURCE_LOG;
    out.value = static_cast<std::int64_t>(lines_.front().first);
    if (dropped_ != 0) {
      out.flags = CORBEL_EVENT_DROPPED;
      out.value = static_cast<std::int64_t>(std::exchange(dropped_, 0));
    }
    out.object = new (std::nothrow) corbel_text{std::move(lines_.front().second)};
    lines_.pop_front();
    return true;
  }

 private:
  std::mutex mutex_;
  std::deque<std::pair<log_level, std::string>> lines_;
  std::size_t limit_;
  std::uint64_t dropped_ = 0;
};

}  // namespace

corbel_status corbel_runtime_open(const corbel_runtime_options *o, corbel_runtime **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!out) return invalid("the out-parameter is NULL");
    corbel_runtime_options given{};
    if (o)
      if (auto why = read_options(o, given, "corbel_runtime_options",
                                  CORBEL_RUNTIME_LOG_STDOUT | CORBEL_RUNTIME_LOG_JSON | CORBEL_RUNTIME_LOG_TEXT))
        return why;
    if (given.log_level < 0 || given.log_level > CORBEL_LOG_OFF)
      return invalid(fmt::format("log_level is {}: give CORBEL_LOG_ERROR to CORBEL_LOG_OFF", given.log_level));
    runtime_options options;
    if (given.io_threads != 0) options.io_threads = given.io_threads;
    if (given.log_level != 0) options.level = static_cast<log_level>(given.log_level);
    options.name = text_or(given.name, "corbel");
    options.instance = text_or(given.instance, "");
    options.log_stdout = (given.flags & CORBEL_RUNTIME_LOG_STDOUT) != 0;
    if (given.flags & CORBEL_RUNTIME_LOG_JSON) options.form = log_form::json;
    if (given.flags & CORBEL_RUNTIME_LOG_TEXT) options.form = log_form::text;
    if (given.log) {
      std::shared_ptr<void> owned(given.log_user, [drop = given.log_drop](void *u) {
        if (drop) drop(u);
      });
      options.log = [fn = given.log, owned](const log_line &line) {
        fn(owned.get(), static_cast<std::int32_t>(line.level), line.part.c_str(), line.text.data(), line.text.size());
      };
    }
    *out = new corbel_runtime(std::move(options));
    return {};
  });
}

corbel_status corbel_runtime_shutdown(corbel_runtime *rt, int64_t timeout_ms, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!rt) return invalid("the runtime is NULL");
    if (detail::wake_thread::is_here())
      return error(status::state, "shutdown blocks and was called on a wake thread: call it on a thread of the host");
    return rt->value.shutdown(std::chrono::milliseconds(timeout_ms)).error();
  });
}

corbel_status corbel_runtime_metrics(corbel_runtime *rt, int32_t format, corbel_text **out, corbel_error **err) {
  return guard(err, [&]() -> error {
    if (!rt || !out) return invalid("the runtime or the out-parameter is NULL");
    if (rt->core().forked()) return detail::forked_error();
    if (format != CORBEL_METRICS_PROMETHEUS)
      return error(status::unsupported,
                   fmt::format("metrics format {} is not known: use CORBEL_METRICS_PROMETHEUS", format));
    *out = new corbel_text{rt->value.metrics_text()};
    return {};
  });
}

corbel_status corbel_runtime_log_to(corbel_runtime *rt, int32_t level, corbel_events *to) {
  return guard(nullptr, [&]() -> error {
    if (!rt) return invalid("the runtime is NULL");
    if (rt->core().forked()) return detail::forked_error();
    if (to && (level < CORBEL_LOG_ERROR || level > CORBEL_LOG_DEBUG))
      return invalid("level is not one of CORBEL_LOG_ERROR to CORBEL_LOG_DEBUG");
    std::lock_guard lock(rt->log_mutex);
    if (rt->log_sink != 0) rt->core().log().remove_sink(std::exchange(rt->log_sink, 0));
    if (!to) return {};
    auto source = std::make_shared<log_source>(to->notice_limit);
    rt->log_sink = rt->core().log().add_sink(static_cast<log_level>(level),
                                             [source, q = std::weak_ptr(to->queue)](const log_line &line) {
                                               auto queue = q.lock();
                                               if (!queue) return;
                                               source->put(line);
                                               queue->notify(source);
                                             });
    return {};
  });
}

void corbel_runtime_free(corbel_runtime *rt) {
  if (rt) free_handle(rt, rt->core().forked());
}

corbel_status corbel_log_write(corbel_runtime *rt, int32_t level, const char *part, const char *text, size_t size,
                               const corbel_field *f, size_t n, size_t each) {
  return guard(nullptr, [&]() -> error {
    if (!rt || (!text && size != 0) || (n != 0 && (!f || each < sizeof(corbel_field))))
      return invalid("the runtime, the text or the fields are NULL");
    if (level < CORBEL_LOG_ERROR || level > CORBEL_LOG_DEBUG)
      return invalid("level is not one of CORBEL_LOG_ERROR to CORBEL_LOG_DEBUG");
    if (rt->core().forked()) return detail::forked_error();
    log_line line{static_cast<log_level>(level), text_or(part, "host"), std::string(text ? text : "", size), {}};
    for (size_t i = 0; i < n; ++i) {
      const auto *field = reinterpret_cast<const corbel_field *>(reinterpret_cast<const char *>(f) + i * each);
      if (!field->name || (!field->value.data && field->value.size != 0)) return invalid("a field's name or value is NULL");
      line.fields.push_back({field->name, std::string(static_cast<const char *>(field->value.data ? field->value.data : ""),
                                                      field->value.size)});
    }
    rt->value.log(std::move(line));
    return {};
  });
}

corbel_status corbel_log_level(corbel_runtime *rt, const char *part, int32_t level) {
  return guard(nullptr, [&]() -> error {
    if (!rt) return invalid("the runtime is NULL");
    if (level < CORBEL_LOG_ERROR || level > CORBEL_LOG_OFF)
      return invalid("level is not one of CORBEL_LOG_ERROR to CORBEL_LOG_OFF");
    if (rt->core().forked()) return detail::forked_error();
    if (part)
      rt->value.set_log_level(part, static_cast<log_level>(level));
    else
      rt->value.set_log_level(static_cast<log_level>(level));
    return {};
  });
}

corbel_status corbel_trace_follow(const char *traceparent, char *out, size_t size) {
  return guard(nullptr, [&]() -> error {
    if (!out || size < CORBEL_TRACEPARENT_SIZE) return invalid("the out-parameter is NULL or too small");
    const auto text = trace_context::follow(text_or(traceparent, "")).text();
    std::memcpy(out, text.c_str(), text.size() + 1);
    return {};
  });
}

corbel_status corbel_cancel(corbel_runtime *rt, corbel_ticket t) {
  return guard(nullptr, [&]() -> error {
    if (!rt) return invalid("the runtime is NULL");
    if (rt->core().forked()) return detail::forked_error();
    if (!cancel_point::cancel(rt->core(), t)) rt->core().cancel(t);
    return {};
  });
}
