#pragma once
/// Owns: the log of a runtime: its level, its receivers, the count of lines that were dropped.
/// Called by: every part, on any thread; write() never blocks. Receivers run where `deliver` runs its tasks: on the
/// listener thread, one line at a time.

#include <corbel/log.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace corbel::detail {

class logger {
 public:
  /// Queues a task for the listener thread; false when it was refused. Must not block.
  using deliver_function = std::function<bool(std::function<void()>)>;

  /// level: what is less urgent is not logged, whatever a sink asks for. stdout_json: every line also as one JSON object
  /// on standard output, see log_json.hpp; there warnings and errors that repeat are left out and counted.
  logger(log_level level, std::string name, std::string instance, bool stdout_json, deliver_function deliver);
  logger(const logger &) = delete;
  logger &operator=(const logger &) = delete;
  ~logger();

  /// True when somebody would receive a line of this level: ask before building a costly text. One relaxed load.
  bool enabled(log_level level) const noexcept;
  /// Hands a line on; control characters in its text become spaces. Where deliver refuses it, it is dropped and counted,
  /// and a later warning of the part "log" tells how many were.
  void write(log_line line);

  /// Changes what is logged, while others log: of parts that have no level of their own, or of one part and what is named
  /// below it ("redis" means "redis:main" too).
  void set_level(log_level level);
  void set_level(const std::string &part, log_level level);
  /// Standard output gets lines for people instead of JSON. Before the first line.
  void use_text(bool yes);
  double written(log_level level) const noexcept;
  double dropped() const noexcept;
  double repeated() const noexcept;

  /// Adds a receiver of lines of this level or more urgent ones. Returns its id, never 0.
  std::uint64_t add_sink(log_level level, log_function sink);
  /// After it returns no new call of the sink begins. An unknown id is ignored.
  void remove_sink(std::uint64_t id);

 private:
  struct shared;
  const std::shared_ptr<shared> shared_;
  const deliver_function deliver_;
};

}  // namespace corbel::detail
