#include "queue/fleet/capacity.hpp"

#include "json/document.hpp"

#include <algorithm>
#include <cmath>

namespace corbel::detail {

namespace {

constexpr double most_of_one = 1e9;  // a capacity above it is a slip of the pen, and would overflow the sum

bool same(std::string_view a, std::string_view upper) {
  return std::ranges::equal(a, upper, [](char x, char y) { return (x >= 'a' && x <= 'z' ? x - 'a' + 'A' : x) == y; });
}

std::uint64_t whole(double x) noexcept { return x > 0 ? static_cast<std::uint64_t>(std::min(x, most_of_one)) : 0; }

}  // namespace

process_health health_of(std::string_view status) noexcept {
  constexpr std::string_view enumeration = "SERVICEHEALTH.";
  if (status.size() > enumeration.size() && same(status.substr(0, enumeration.size()), enumeration))
    status.remove_prefix(enumeration.size());
  if (same(status, "HEALTHY")) return process_health::healthy;
  if (same(status, "DEGRADED")) return process_health::degraded;
  if (same(status, "UNHEALTHY")) return process_health::unhealthy;
  return process_health::unknown;
}

std::optional<process_heartbeat> process_heartbeat::parse(std::string_view json) {
  auto document = json_document::parse(json);
  if (!document) return {};
  auto top = document->root().object();
  if (!top) return {};
  auto type = top->text("service_type"), name = top->text("service_name"), status = top->text("health_status");
  auto load = top->number("current_load"), capacity = top->number("max_capacity"), last = top->number("last_heartbeat");
  if (!type || !name || !status || !capacity || !last) return {};
  auto number = [](double x) { return static_cast<std::int64_t>(std::clamp(x, -most_of_one, most_of_one)); };
  return process_heartbeat{.type = std::string(*type),
                           .name = std::string(*name),
                           .load = load ? number(*load) : 0,
                           .capacity = number(*capacity),
                           .last = *last,
                           .health = health_of(*status)};
}

bool process_heartbeat::works() const noexcept {
  switch (health) {
    case process_health::healthy:
    case process_health::degraded:
      return true;
    case process_health::unhealthy:
      return capacity > 0 && load >= capacity;
    case process_health::unknown:
      break;
  }
  return false;
}

std::uint64_t held_by_one(std::int64_t capacity, double buffer, double multiplier) noexcept {
  const auto c = static_cast<double>(capacity);
  return whole(c * (1 - buffer)) + whole(c * multiplier);
}

fleet_capacity capacity_of(std::span<const std::string_view> heartbeats, std::string_view type, std::string_view name,
                           const queue_admission &admission, double now) {
  const auto oldest = now - static_cast<double>(admission.heartbeat_timeout.count());
  fleet_capacity all;
  for (auto json : heartbeats) {
    auto h = process_heartbeat::parse(json);
    if (!h || h->type != type || h->name != name || h->last < oldest || !h->works()) continue;
    all.capacity += held_by_one(h->capacity, admission.buffer, admission.multiplier);
    ++all.processes;
  }
  return all;
}

}  // namespace corbel::detail
