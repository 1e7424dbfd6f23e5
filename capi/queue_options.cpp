#include "capi/queue_options.hpp"

#include "queue/limits.hpp"

namespace corbel::capi {

namespace {

using std::chrono::milliseconds;

/// The longest time that is added to a clock's without passing the end of it, with room to spare.
constexpr std::int64_t longest_ms = 100LL * 366 * 86400 * 1000;

error out_of_range(const char *what, std::int64_t value, std::int64_t least, std::int64_t most) {
  return invalid(fmt::format("{} is {}: give {} to {}", what, value, least, most));
}

error read_time(const char *what, std::int64_t ms, std::chrono::system_clock::time_point &out) {
  if (ms < 0 || ms > 2 * longest_ms) return out_of_range(what, ms, 0, 2 * longest_ms);
  out = std::chrono::system_clock::time_point(milliseconds(ms));
  return {};
}

/// 0 leaves the default as it is.
error read_duration(const char *what, std::int64_t ms, milliseconds &out) {
  if (ms < 0 || ms > longest_ms) return out_of_range(what, ms, 0, longest_ms);
  if (ms != 0) out = milliseconds(ms);
  return {};
}

void read_share(double given, double &out) {
  if (given != 0) out = given < 0 ? 0 : given;
}

error read_lanes(const corbel_queue_options &given, std::vector<queue_lane> &out) {
  if (!given.lanes && given.lane_count != 0) return invalid("corbel_queue_options.lanes is NULL, but lane_count is not 0");
  if (given.lane_count > detail::max_lanes)
    return invalid(fmt::format("{} lanes: give {} at most", given.lane_count, detail::max_lanes));
  for (size_t i = 0; i < given.lane_count; ++i) {
    const auto &lane = given.lanes[i];
    if (!lane.name) return invalid(fmt::format("the name of lane {} is NULL", i));
    if (lane.reserved != 0) return invalid(fmt::format("corbel_queue_lane.reserved of lane '{}' is not 0", lane.name));
    out.push_back({lane.name, lane.weight != 0 ? lane.weight : 1});
  }
  return {};
}

}  // namespace

error read_admission(const corbel_queue_admission *in, queue_admission &out) {
  corbel_queue_admission given;
  if (auto why = read_options(in, given, "corbel_queue_admission")) return why;
  if (given.capacity != 0) out.capacity = given.capacity;
  read_share(given.buffer, out.buffer);
  read_share(given.multiplier, out.multiplier);
  read_share(given.anonymous, out.anonymous);
  read_share(given.registered, out.registered);
  read_share(given.paid, out.paid);
  read_share(given.hard, out.hard);
  out.max_queue_size = given.max_queue_size;
  out.tenant = text_or(given.tenant, "");
  out.project = text_or(given.project, "");
  if (given.service) out.service = given.service;
  milliseconds timeout = out.heartbeat_timeout;
  if (auto why = read_duration("corbel_queue_admission.heartbeat_ms", given.heartbeat_ms, timeout)) return why;
  out.heartbeat_timeout = std::chrono::ceil<std::chrono::seconds>(timeout);
  return {};
}

error read_queue_options(const corbel_queue_options *in, corbel_queue_options &given, queue_options &out) {
  if (auto why = read_options(in, given, "corbel_queue_options", CORBEL_QUEUE_TELL_UNWORKED)) return why;
  if (given.layout != CORBEL_QUEUE_NATIVE && given.layout != CORBEL_QUEUE_PLATFORM)
    return invalid(
        fmt::format("corbel_queue_options.layout is {}: give CORBEL_QUEUE_NATIVE or CORBEL_QUEUE_PLATFORM", given.layout));
  if (given.crashed != CORBEL_CRASHED_RETRY && given.crashed != CORBEL_CRASHED_INTERRUPT)
    return invalid(fmt::format("corbel_queue_options.crashed is {}: give CORBEL_CRASHED_RETRY or CORBEL_CRASHED_INTERRUPT",
                               given.crashed));
  if (given.name) out.name = given.name;
  out.layout = static_cast<queue_layout>(given.layout);
  out.crashed = static_cast<after_crash>(given.crashed);
  out.tenant = text_or(given.tenant, "");
  out.project = text_or(given.project, "");
  out.instance = text_or(given.instance, "");
  if (given.concurrency != 0) out.concurrency = given.concurrency;
  out.prefetch = given.prefetch;
  if (given.max_attempts != 0) out.max_attempts = given.max_attempts;
  if (given.max_in_flight != 0) out.max_in_flight = given.max_in_flight;
  if (given.max_body_bytes != 0) out.max_body = given.max_body_bytes;
  if (auto why = read_duration("corbel_queue_options.lease_ms", given.lease_ms, out.lease)) return why;
  if (auto why = read_duration("corbel_queue_options.backoff_first_ms", given.backoff_first_ms, out.backoff.first))
    return why;
  if (auto why = read_duration("corbel_queue_options.backoff_most_ms", given.backoff_most_ms, out.backoff.most)) return why;
  if (auto why = read_duration("corbel_queue_options.idempotency_ms", given.idempotency_ms, out.idempotency_window))
    return why;
  if (auto why = read_lanes(given, out.lanes)) return why;
  if (!given.admission) return {};
  out.admission.emplace();
  return read_admission(given.admission, *out.admission);
}

namespace {

std::string_view text_of(const corbel_bytes &b) noexcept {
  return {b.data ? static_cast<const char *>(b.data) : "", b.size};
}

error read_events(const corbel_lane_events *in, event_records &out) {
  corbel_lane_events given;
  if (auto why = read_options(in, given, "corbel_lane_events")) return why;
  if (!given.conversation) return invalid("corbel_lane_events.conversation is NULL");
  if (!given.events && given.count != 0) return invalid("corbel_lane_events.events is NULL, but count is not 0");
  out.conversation = given.conversation;
  out.user = text_or(given.user, "");
  out.agent = text_or(given.agent, "");
  for (size_t i = 0; i < given.count; ++i) {
    const auto &[id, record] = given.events[i];
    if ((!id.data && id.size != 0) || (!record.data && record.size != 0))
      return invalid(fmt::format("the id or the record of lane event {} is NULL", i));
    out.events.push_back({std::string(text_of(id)), std::string(text_of(record))});
  }
  return {};
}

}  // namespace

error read_put(const corbel_put *items, size_t count, size_t each, std::vector<put_item> &out) {
  if (!items || count == 0) return invalid("a put without items: give at least one");
  if (each < 2 * sizeof(std::uint32_t)) return invalid("each is too small: give sizeof(corbel_put)");
  out.reserve(std::min<size_t>(count, 4096));
  for (size_t i = 0; i < count; ++i) {
    corbel_put given;
    const auto *at = reinterpret_cast<const corbel_put *>(reinterpret_cast<const char *>(items) + i * each);
    if (auto why = read_options(at, given, "corbel_put")) return why;
    if (!given.body.data && given.body.size != 0) return invalid(fmt::format("the body of item {} is NULL", i));
    auto &item = out.emplace_back();
    if (given.body.size != 0) item.body.assign(static_cast<const char *>(given.body.data), given.body.size);
    if (given.id) item.id = given.id;
    if (given.user_type) item.lane = given.user_type;
    if (given.group) item.group = given.group;
    if (given.idempotency_key) item.idempotency_key = given.idempotency_key;
    if (auto why = read_time("corbel_put.not_before_ms", given.not_before_ms, item.not_before)) return why;
    if (auto why = read_duration("corbel_put.delay_ms", given.delay_ms, item.delay)) return why;
    if (given.events) {
      if (auto why = read_events(given.events, item.events)) return why;
    }
    if (given.not_before_ms != 0 && given.delay_ms != 0)
      return invalid("corbel_put has not_before_ms and delay_ms: give one");
  }
  return {};
}

error read_settle(const corbel_settle *in, settle_request &out) {
  corbel_settle given;
  if (auto why = read_options(in, given, "corbel_settle")) return why;
  if (given.reserved != 0) return invalid("corbel_settle.reserved is not 0");
  out.how = static_cast<settle>(given.how);
  if (given.how != CORBEL_SETTLE_RETRY && (given.not_before_ms != 0 || given.delay_ms != 0))
    return invalid("corbel_settle.not_before_ms and delay_ms are of CORBEL_SETTLE_RETRY: give 0");
  if (auto why = read_time("corbel_settle.not_before_ms", given.not_before_ms, out.not_before)) return why;
  milliseconds delay{0};
  if (given.delay_ms != -1) {
    if (auto why = read_duration("corbel_settle.delay_ms", given.delay_ms, delay)) return why;
  }
  if (given.not_before_ms != 0 && given.delay_ms != 0)
    return invalid("corbel_settle has not_before_ms and delay_ms: give one");
  if (given.delay_ms != 0) out.delay = delay;
  out.reason = text_or(given.reason, "");
  return {};
}

std::int64_t unix_ms(std::chrono::system_clock::time_point t) noexcept {
  return std::chrono::duration_cast<milliseconds>(t.time_since_epoch()).count();
}

}  // namespace corbel::capi
