#include "base/log.hpp"

#include "base/code_point.hpp"
#include "base/log_json.hpp"
#include "base/log_text.hpp"
#include "base/redact_text.hpp"
#include "base/repeat_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <map>
#include <mutex>
#include <unistd.h>
#include <utility>
#include <vector>

namespace corbel::detail {

namespace {
using steady = std::chrono::steady_clock;

struct sink {
  std::uint64_t id;
  log_level level;
  log_function receive;
  std::atomic<bool> removed{false};
  sink(std::uint64_t i, log_level l, log_function f) : id(i), level(l), receive(std::move(f)) {}
};
using sink_list = std::vector<std::shared_ptr<sink>>;

bool passes(log_level line, log_level limit) { return limit != log_level::off && line <= limit; }
}  // namespace

/// What lines on their way own a share of.
struct logger::shared {
  std::atomic<log_level> level;
  std::string name, instance;
  bool to_stdout, as_text = false;
  repeat_filter repeats;  // on the listener thread only
  std::atomic<std::uint64_t> repeated{0}, dropped_ever{0}, written[4]{};
  std::map<std::string, log_level, std::less<>> part_levels;  // under the mutex
  std::atomic<bool> has_part_levels{false};
  std::atomic<log_level> most_verbose{log_level::off};  // off: nobody listens
  std::atomic<std::size_t> under_way{0};
  std::atomic<std::uint64_t> dropped{0};
  std::mutex mutex;
  std::uint64_t last_id = 0;
  std::shared_ptr<const sink_list> sinks = std::make_shared<sink_list>();
  steady::time_point dropped_told{};  // on the listener thread only

  /// The part's own level, else that of what stands before its last ':', else everybody's.
  log_level level_of(std::string_view part) {
    if (!has_part_levels.load(std::memory_order_acquire)) return level;
    std::lock_guard lock(mutex);
    for (;;) {
      if (auto at = part_levels.find(part); at != part_levels.end()) return at->second;
      const auto colon = part.rfind(':');
      if (colon == part.npos) return level;
      part = part.substr(0, colon);
    }
  }

  void update() {
    auto limit = level.load();
    for (auto &[part, l] : part_levels)
      if (limit == log_level::off || (l != log_level::off && l > limit)) limit = l;
    auto most = to_stdout ? limit : log_level::off;
    for (auto &s : *sinks)
      if (most == log_level::off || (s->level != log_level::off && s->level > most)) most = s->level;
    bool nobody = limit == log_level::off || most == log_level::off;
    most_verbose.store(nobody ? log_level::off : std::min(most, limit), std::memory_order_relaxed);
  }

  void print(const log_line &line, std::chrono::system_clock::time_point time) {
    auto one = [&](const log_line &l) {
      auto text = (as_text ? log_text(l, time) : log_json(l, name, instance, ::getpid(), time)) + '\n';
      std::fwrite(text.data(), 1, text.size(), stdout);
    };
    for (auto &told : repeats.ended(steady::now())) one(told);
    if (line.level <= log_level::warning && !repeats.passes(line, steady::now()))
      repeated.fetch_add(1, std::memory_order_relaxed);
    else
      one(line);
    std::fflush(stdout);
  }

  /// Calls every receiver, whatever one throws.
  void emit(const log_line &line, std::chrono::system_clock::time_point time, std::exception_ptr &thrown) {
    if (to_stdout) print(line, time);
    std::unique_lock lock(mutex);
    auto receivers = sinks;
    lock.unlock();
    for (auto &s : *receivers) {
      if (!passes(line.level, s->level) || s->removed.load(std::memory_order_acquire)) continue;
      try {
        s->receive(line);
      } catch (...) {
        if (!thrown) thrown = std::current_exception();
      }
    }
  }

  void tell_dropped(bool last, std::exception_ptr &thrown) {
    auto now = steady::now();
    if (dropped.load() == 0 || (!last && now - dropped_told < std::chrono::seconds(1))) return;
    dropped_told = now;
    auto n = dropped.exchange(0);
    emit({log_level::warning,
          "log",
          fmt::format("{} log lines were dropped because the receivers are too slow: make them faster or log less", n),
          {{"dropped", std::to_string(n)}}},
         std::chrono::system_clock::now(), thrown);
  }

  /// The first exception is thrown on, for the listener thread to report.
  void deliver(log_line line, std::chrono::system_clock::time_point time) {
    redact_line(line);
    std::exception_ptr thrown;
    emit(line, time, thrown);
    tell_dropped(under_way.fetch_sub(1) == 1, thrown);
    if (thrown) std::rethrow_exception(thrown);
  }
};

logger::logger(log_level level, std::string name, std::string instance, bool stdout_json, deliver_function deliver)
    : shared_(std::make_shared<shared>()), deliver_(std::move(deliver)) {
  shared_->level = level;
  shared_->name = std::move(name);
  shared_->instance = std::move(instance);
  shared_->to_stdout = stdout_json;
  shared_->update();
}

logger::~logger() = default;

bool logger::enabled(log_level level) const noexcept {
  return passes(level, shared_->most_verbose.load(std::memory_order_relaxed));
}

void logger::write(log_line line) {
  if (!enabled(line.level) || !passes(line.level, shared_->level_of(line.part))) return;
  shared_->written[static_cast<int>(line.level) - 1].fetch_add(1, std::memory_order_relaxed);
  line.part = one_line(std::move(line.part));
  line.text = one_line(std::move(line.text));
  shared_->under_way.fetch_add(1);
  auto time = std::chrono::system_clock::now();
  if (deliver_([s = shared_, l = std::move(line), time]() mutable { s->deliver(std::move(l), time); })) return;
  shared_->dropped.fetch_add(1);
  shared_->dropped_ever.fetch_add(1, std::memory_order_relaxed);
  if (shared_->under_way.fetch_sub(1) != 1) return;  // a line on its way will tell
  deliver_([s = shared_] {
    std::exception_ptr thrown;
    s->tell_dropped(true, thrown);
    if (thrown) std::rethrow_exception(thrown);
  });
}

void logger::set_level(log_level level) {
  std::lock_guard lock(shared_->mutex);
  shared_->level = level;
  shared_->update();
}

void logger::set_level(const std::string &part, log_level level) {
  std::lock_guard lock(shared_->mutex);
  shared_->part_levels[one_line(part)] = level;
  shared_->has_part_levels = true;
  shared_->update();
}

void logger::use_text(bool yes) { shared_->as_text = yes; }
double logger::written(log_level level) const noexcept {
  return static_cast<double>(shared_->written[static_cast<int>(level) - 1].load(std::memory_order_relaxed));
}
double logger::dropped() const noexcept {
  return static_cast<double>(shared_->dropped_ever.load(std::memory_order_relaxed));
}
double logger::repeated() const noexcept { return static_cast<double>(shared_->repeated.load(std::memory_order_relaxed)); }

std::uint64_t logger::add_sink(log_level level, log_function receive) {
  std::lock_guard lock(shared_->mutex);
  auto more = std::make_shared<sink_list>(*shared_->sinks);
  more->push_back(std::make_shared<sink>(++shared_->last_id, level, std::move(receive)));
  shared_->sinks = std::move(more);
  shared_->update();
  return shared_->last_id;
}

void logger::remove_sink(std::uint64_t id) {
  std::shared_ptr<const sink_list> before;  // outlives the lock: its last user may be a function of the host
  std::lock_guard lock(shared_->mutex);
  auto fewer = std::make_shared<sink_list>(*shared_->sinks);
  std::erase_if(*fewer, [id](auto &s) {
    if (s->id != id) return false;
    s->removed.store(true, std::memory_order_release);
    return true;
  });
  before = std::exchange(shared_->sinks, std::move(fewer));
  shared_->update();
}

}  // namespace corbel::detail
