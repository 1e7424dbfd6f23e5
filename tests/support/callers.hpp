#pragma once
/// Many callers at once, each with one call out at a time, until they are told to stop. They count completions: every call
/// must have exactly one, and an answer must be the answer to what was asked.

#include <corbel/redis_pool.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

namespace corbel::test {

struct callers_report {
  std::size_t calls = 0;      ///< started
  std::size_t completed = 0;  ///< of them
  std::size_t again = 0;      ///< completions beyond the first of a call
  std::size_t wrong = 0;      ///< answers that belong to something else
  std::size_t ok = 0;
  std::map<status, std::size_t> failed;
  std::size_t uncounted = 0;  ///< counters that are lower than what was acknowledged, or higher than what may be
};

class callers {
 public:
  /// `counting` of the `count` callers send INCR, which must not be applied twice; the others ECHO.
  callers(redis_pool pool, std::size_t count, std::size_t counting, call c);
  ~callers();
  callers(const callers &) = delete;
  callers &operator=(const callers &) = delete;

  /// Calls completed with an answer so far.
  std::size_t ok() const noexcept;
  std::size_t completed() const noexcept;
  /// No new calls; waits for those that are out. False when some are still out at the deadline.
  bool stop(std::chrono::milliseconds deadline);
  /// After stop(). Reads the counters back through the pool; they must live in a server that keeps its data.
  callers_report report();

  struct state;

 private:
  std::shared_ptr<state> state_;
};

}  // namespace corbel::test
