// What profiles and presets of the platform change in the defaults.
#include "config/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace corbel {

namespace {

using detail::findings;

/// Sets values and says where they came from.
class changer {
 public:
  changer(gateway_settings &s, std::string origin) : settings_(s), origin_(std::move(origin)) {}

  void hourly(const std::string &role, std::int64_t n) {
    set("rate_limits." + role + ".hourly", settings_.rate_limits[role].hourly, n);
  }
  void role(const std::string &name, rate_limit l) {
    settings_.rate_limits[name] = l;
    for (auto key : {"hourly", "burst", "burst_window"}) note("rate_limits." + name + "." + key);
  }
  void per_instance(std::int64_t n) {
    set("service_capacity.concurrent_requests_per_instance", settings_.service_capacity.concurrent_requests_per_instance,
        std::optional(n));
  }
  void average(double seconds) {
    set("service_capacity.avg_processing_time_seconds", settings_.service_capacity.avg_processing_time_seconds, seconds);
  }
  void buffer(double n) { set("backpressure.capacity_buffer", settings_.backpressure.capacity_buffer, n); }
  void multiplier(double n) { set("backpressure.queue_depth_multiplier", settings_.backpressure.queue_depth_multiplier, n); }
  void anonymous(double n) {
    set("backpressure.anonymous_pressure_threshold", settings_.backpressure.anonymous_pressure_threshold, n);
  }
  void registered_and_paid(double n) {
    set("backpressure.registered_pressure_threshold", settings_.backpressure.registered_pressure_threshold, n);
    set("backpressure.paid_pressure_threshold", settings_.backpressure.paid_pressure_threshold, n);
  }
  void auth_failures(std::int64_t n) {
    set("circuit_breakers.auth_failure_threshold", settings_.circuit_breakers.auth_failure_threshold, n);
  }
  void profile(const char *name) { set("profile", settings_.profile, std::string(name)); }
  void note(std::string path) { settings_.origins.insert_or_assign(std::move(path), setting_origin{origin_, {}}); }

 private:
  template <class T>
  void set(std::string path, T &into, const T &value) {
    into = value;
    note(std::move(path));
  }
  gateway_settings &settings_;
  std::string origin_;
};

/// Looks again at values that no document gave.
void check_again(gateway_reading &r, const gateway_context &context) {
  r.warnings.clear();
  findings found(r.faults, r.warnings);
  detail::reading_state state{context, r.settings.component, r.settings, found, {}};
  detail::check_settings(state, true);
}

constexpr std::array<std::string_view, 4> presets{"chat_development", "chat_production", "api_high_throughput",
                                                  "load_test_heavy"};

}  // namespace

gateway_reading gateway_defaults(const gateway_context &context, std::string_view profile,
                                 std::optional<double> avg_processing_time_seconds) {
  auto r = read_gateway("{}", context);
  std::string name(profile);
  for (char &c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  changer to(r.settings, "GATEWAY_PROFILE=" + name);
  if (avg_processing_time_seconds) {
    changer(r.settings, "AVG_PROCESSING_TIME_SECONDS").average(*avg_processing_time_seconds);
    findings found(r.faults, r.warnings);
    if (!detail::capacity_fields[1].allowed.admits(*avg_processing_time_seconds))
      found.fault("AVG_PROCESSING_TIME_SECONDS", fmt::format("{}", *avg_processing_time_seconds),
                  detail::capacity_fields[1].allowed.text("a number"));
  }
  if (name == "development") {
    to.hourly("anonymous", 100);
    to.hourly("registered", 1000);
    to.anonymous(0.8);
    to.registered_and_paid(0.9);
    to.auth_failures(20);
  } else if (name == "testing") {
    to.hourly("anonymous", 200);
    to.hourly("registered", 2000);
    to.per_instance(10);
    to.buffer(0.15);
  } else if (name == "production") {
    to.hourly("anonymous", 50);
    to.hourly("registered", 500);
    to.buffer(0.25);
    to.anonymous(0.5);
    to.registered_and_paid(0.7);
    to.auth_failures(10);
  } else if (name == "load_test") {
    to.hourly("anonymous", 5000);
    to.hourly("registered", 10000);
    to.per_instance(20);
    to.average(15);
    to.buffer(0.1);
    to.multiplier(3);
  } else {
    r.faults.push_back(
        {"GATEWAY_PROFILE", fmt::format("\"{}\"", profile.substr(0, 60)), "development, testing, production or load_test"});
    return r;
  }
  r.settings.profile = name;
  to.note("profile");
  if (r) check_again(r, context);
  return r;
}

bool preset_replaces_document(std::string_view preset) noexcept {
  return preset == "chat_production" || preset == "load_test_heavy";
}

void apply_preset(gateway_reading &r, std::string_view preset) {
  if (std::find(presets.begin(), presets.end(), preset) == presets.end()) {
    r.faults.push_back({"GATEWAY_PRESET", fmt::format("\"{}\"", preset.substr(0, 60)),
                        "chat_development, chat_production, api_high_throughput or load_test_heavy"});
    return;
  }
  auto &s = r.settings;
  changer to(s, fmt::format("GATEWAY_PRESET={}", preset));
  if (preset == "chat_development") {
    to.per_instance(s.service_capacity.concurrent_requests_per_process * s.service_capacity.processes_per_instance);
    to.average(25);
    to.multiplier(2);
    to.anonymous(0.6);
  } else if (preset == "api_high_throughput") {
    to.per_instance(50);
    to.average(2);
    to.buffer(0.1);
    for (auto [role, n] : {std::pair("anonymous", 1000), std::pair("registered", 10000)})
      if (s.rate_limits.count(role) != 0) to.hourly(role, n);
  } else if (preset == "chat_production") {
    to.profile("production");
    to.role("anonymous", {30, 5, 60});
    to.role("registered", {300, 20, 60});
    to.role("paid", {500, 20, 60});
    to.role("privileged", {-1, 100, 60});
    to.per_instance(6);
    to.average(30);
    to.buffer(0.3);
    to.anonymous(0.5);
  } else {
    to.profile("load_test");
    to.role("anonymous", {10000, 200, 60});
    to.role("registered", {50000, 500, 60});
    to.role("paid", {80000, 800, 60});
    to.role("privileged", {-1, 1000, 60});
    to.per_instance(25);
    to.average(10);
    to.buffer(0.05);
    to.multiplier(4);
  }
  gateway_context context;
  context.source = r.source;
  if (r) check_again(r, context);
}

}  // namespace corbel
