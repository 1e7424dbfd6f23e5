#pragma once
/// Owns: which log lines repeat others too often. Pure: no clock. Callers: the log, on its one thread.
///
/// Of lines with the same level, part, text and fields ten pass within ten seconds; further ones are left out, and when the
/// ten seconds are over one line tells how many were. Of 256 different lines at once; the others pass.

#include <corbel/log.hpp>

#include <chrono>
#include <string>
#include <unordered_map>
#include <vector>

namespace corbel::detail {

class repeat_filter {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr std::size_t most = 10, kept = 256;
  static constexpr std::chrono::seconds window{10};

  bool passes(const log_line &line, clock::time_point now) {
    auto key = std::to_string(static_cast<int>(line.level)) + line.part + '\n' + line.text;
    for (auto &f : line.fields) ((key += '\n') += f.name + '=') += f.value;
    auto at = seen_.find(key);
    if (at == seen_.end()) {
      if (seen_.size() >= kept) return true;
      at = seen_.emplace(std::move(key), one{line.level, line.part, line.text, now, 0, 0}).first;
      if (seen_.size() == 1 || now + window < next_) next_ = now + window;
    }
    if (++at->second.count <= most) return true;
    ++at->second.left_out;
    return false;
  }

  /// Lines that tell what was left out of windows that are over. Cheap while none is.
  std::vector<log_line> ended(clock::time_point now) {
    std::vector<log_line> told;
    if (seen_.empty() || now < next_) return told;
    next_ = clock::time_point::max();
    for (auto at = seen_.begin(); at != seen_.end();) {
      auto &o = at->second;
      if (now - o.since < window) {
        next_ = std::min(next_, o.since + window);
        ++at;
        continue;
      }
      if (o.left_out != 0)
        told.push_back({o.level, o.part, "repeated: " + o.text, {{"repeated", std::to_string(o.left_out)}}});
      at = seen_.erase(at);
    }
    return told;
  }

 private:
  struct one {
    log_level level;
    std::string part, text;
    clock::time_point since;
    std::size_t count, left_out;
  };
  std::unordered_map<std::string, one> seen_;
  clock::time_point next_{};
};

}  // namespace corbel::detail
