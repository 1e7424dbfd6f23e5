#include "queue/limits.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace corbel::detail {

namespace {

error invalid(std::string text) { return error(status::invalid, std::move(text), "queue"); }

bool has_control(const std::string &s) {
  return std::any_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void require(bool holds, std::string text) {
  if (!holds) throw failure(invalid(std::move(text)));
}

error check_word(const char *what, std::size_t item, const std::string &word, std::size_t limit) {
  if (word.size() > limit)
    return invalid(fmt::format("the {} of item {} has {} bytes: the limit is {}", what, item, word.size(), limit));
  if (has_control(word)) return invalid(fmt::format("the {} of item {} has a control character: leave it out", what, item));
  return {};
}

void check_share(const char *name, double value) {
  require(value >= 0 && value <= 1, fmt::format("admission.{} is {}: give 0 to 1", name, value));
}

}  // namespace

void check_queue(const queue_options &o) {
  require(!o.name.empty() && o.name.size() <= 512 && !has_control(o.name),
          fmt::format("the queue's name has {} bytes: give 1 to 512, without control characters", o.name.size()));
  require(o.lanes.size() <= max_lanes, fmt::format("{} lanes: give {} at most", o.lanes.size(), max_lanes));
  for (std::size_t i = 0; i < o.lanes.size(); ++i) {
    const auto &lane = o.lanes[i];
    require(!lane.name.empty() && lane.name.size() <= 128 && !has_control(lane.name),
            fmt::format("the name of lane {} has {} bytes: give 1 to 128, without control characters", i, lane.name.size()));
    require(lane.weight >= 1 && lane.weight <= 1000,
            fmt::format("the weight of lane '{}' is {}: give 1 to 1000", lane.name, lane.weight));
    for (std::size_t j = 0; j < i; ++j)
      require(o.lanes[j].name != lane.name, fmt::format("the lane '{}' is named twice", lane.name));
  }
  require(o.max_attempts >= 1, "max_attempts is 0: give at least 1, or CORBEL_UNBOUNDED for no limit");
}

void check_concurrency(std::uint32_t n) {
  require(n >= 1 && n <= max_slots, fmt::format("concurrency is {}: give 1 to {}", n, max_slots));
}

void check_consumer(const queue_options &o) {
  check_queue(o);
  check_concurrency(o.concurrency);
  require(o.prefetch <= max_slots, fmt::format("prefetch is {}: give 0 to {}", o.prefetch, max_slots));
  require(o.prefetch == 0 || o.crashed == after_crash::retry,
          fmt::format("prefetch is {}: where started work is interrupted it has to be 0", o.prefetch));
  const std::chrono::milliseconds least =
      o.layout == queue_layout::platform ? std::chrono::seconds(1) : std::chrono::milliseconds(100);
  require(o.lease >= least && o.lease <= std::chrono::hours(24),
          fmt::format("lease is {} ms: give {} to 86400000", o.lease.count(), least.count()));
  require(o.max_in_flight >= 1, "max_in_flight is 0: give at least 1");
  require(o.backoff.first >= std::chrono::milliseconds(1) && o.backoff.most >= o.backoff.first,
          fmt::format("backoff is {} to {} ms: give at least 1, and the most not below the first", o.backoff.first.count(),
                      o.backoff.most.count()));
}

void check_producer(const queue_options &o) {
  check_queue(o);
  require(o.max_body >= 1 && o.max_body <= max_put_bytes,
          fmt::format("max_body is {}: give 1 to {} bytes", o.max_body, max_put_bytes));
  require(o.idempotency_window >= std::chrono::milliseconds(1),
          fmt::format("idempotency_window is {} ms: give at least 1", o.idempotency_window.count()));
  if (o.admission) check_admission(*o.admission, o);
}

void check_admission(const queue_admission &a, const queue_options &o) {
  check_share("buffer", a.buffer);
  require(a.multiplier >= 0, fmt::format("admission.multiplier is {}: give at least 0", a.multiplier));
  check_share("anonymous", a.anonymous);
  check_share("registered", a.registered);
  check_share("paid", a.paid);
  check_share("hard", a.hard);
  const bool scoped = !a.tenant.empty() || !a.project.empty() || o.layout == queue_layout::platform || !o.tenant.empty();
  require(a.capacity || scoped,
          "admission has neither a capacity nor a tenant and a project, whose heartbeats would tell it: give one of them");
}

error check_items(const std::vector<put_item> &items, const queue_options &options) {
  if (items.empty()) return invalid("a put without items: give at least one");
  std::size_t total = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto &item = items[i];
    if (item.body.size() > options.max_body)
      return invalid(fmt::format("the body of item {} has {} bytes: the limit is {}; put a reference to where it is kept", i,
                                 item.body.size(), options.max_body));
    if (auto why = check_word("id", i, item.id, max_id_bytes)) return why;
    if (auto why = check_word("group", i, item.group, max_id_bytes)) return why;
    if (auto why = check_word("idempotency key", i, item.idempotency_key, max_key_bytes)) return why;
    if (item.delay < item.delay.zero()) return invalid(fmt::format("the delay of item {} is below 0", i));
    total += item.body.size();
  }
  if (total > max_put_bytes)
    return invalid(
        fmt::format("the bodies of {} items have {} bytes together: the limit of one put is {}; put them in parts",
                    items.size(), total, max_put_bytes));
  return {};
}

}  // namespace corbel::detail
