#include "base/log.hpp"

#include "base/code_point.hpp"
#include "base/log_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
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
  log_level level;
  std::string name, instance;
  bool to_stdout;
  std::atomic<log_level> most_verbose{log_level::off};  // off: nobody listens
  std::atomic<std::size_t> under_way{0};
  std::atomic<std::uint64_t> dropped{0};
  std::mutex mutex;
  std::uint64_t last_id = 0;
  std::shared_ptr<const sink_list> sinks = std::make_shared<sink_list>();
  steady::time_point dropped_told{};  // on the listener thread only

  void update() {
    auto most = to_stdout ? level : log_level::off;
    for (auto &s : *sinks)
      if (most == log_level::off || (s->level != log_level::off && s->level > most)) most = s->level;
    bool nobody = level == log_level::off || most == log_level::off;
    most_verbose.store(nobody ? log_level::off : std::min(most, level), std::memory_order_relaxed);
  }

  /// Calls every receiver, whatever one throws.
  void emit(const log_line &line, std::chrono::system_clock::time_point time, std::exception_ptr &thrown) {
    if (to_stdout && passes(line.level, level)) {
      auto text = log_json(line, name, instance, ::getpid(), time) + '\n';
      std::fwrite(text.data(), 1, text.size(), stdout);
      std::fflush(stdout);
    }
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
  void deliver(const log_line &line, std::chrono::system_clock::time_point time) {
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
  if (!enabled(line.level)) return;
  line.part = one_line(std::move(line.part));
  line.text = one_line(std::move(line.text));
  shared_->under_way.fetch_add(1);
  auto time = std::chrono::system_clock::now();
  if (deliver_([s = shared_, l = std::move(line), time] { s->deliver(l, time); })) return;
  shared_->dropped.fetch_add(1);
  if (shared_->under_way.fetch_sub(1) != 1) return;  // a line on its way will tell
  deliver_([s = shared_] {
    std::exception_ptr thrown;
    s->tell_dropped(true, thrown);
    if (thrown) std::rethrow_exception(thrown);
  });
}

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
