#pragma once
/// Collects the log lines of a runtime, for tests that assert what is said, and what never is.

#include <corbel/log.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace corbel::test {

class log_lines {
 public:
  /// For runtime_options::log.
  log_function collector() {
    return [s = state_](const log_line &line) {
      std::lock_guard lock(s->mutex);
      s->lines.push_back(line);
    };
  }
  /// How many lines of this level or more urgent hold the text, in their text or in a field. part: of that one alone.
  std::size_t count(const std::string &text, log_level at_least = log_level::debug, std::string_view part = {}) const {
    std::lock_guard lock(state_->mutex);
    std::size_t n = 0;
    for (auto &line : state_->lines) {
      bool holds = line.text.find(text) != std::string::npos;
      for (auto &f : line.fields) holds = holds || f.value.find(text) != std::string::npos;
      n += holds && line.level <= at_least && (part.empty() || line.part == part);
    }
    return n;
  }

 private:
  struct shared {
    std::mutex mutex;
    std::vector<log_line> lines;
  };
  std::shared_ptr<shared> state_ = std::make_shared<shared>();
};

}  // namespace corbel::test
