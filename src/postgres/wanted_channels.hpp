#pragma once
/// Owns: which listeners want which channels, and what the server was asked of it. Pure. Callers: the listen hub. Thread:
/// the pool's loop.
///
/// The server is asked once per channel. An answer counts only when it is the one to the last question for that channel:
/// LISTEN, UNLISTEN, LISTEN may be under way at once.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace corbel::detail {

class wanted_channels {
 public:
  using reader = std::uint64_t;
  enum class answer { ask, pending, there };

  /// ask: send LISTEN with the question's number(); pending: it was sent; there: it is listened to.
  answer want(reader who, const std::string &channel) {
    auto &c = channels_[channel];
    const bool is_new = c.readers.empty();
    c.readers.insert(who);
    if (is_new) {
      c.question = 0;
      c.is_confirmed = false;
      return answer::ask;
    }
    return c.is_confirmed ? answer::there : answer::pending;
  }
  /// True when the server is to be told UNLISTEN: nobody wants it any more.
  bool leave(reader who, const std::string &channel) {
    auto it = channels_.find(channel);
    if (it == channels_.end() || it->second.readers.erase(who) == 0 || !it->second.readers.empty()) return false;
    channels_.erase(it);
    return true;
  }
  /// The channels that nobody wants any more.
  std::vector<std::string> leave_all(reader who) {
    std::vector<std::string> left;
    for (auto it = channels_.begin(); it != channels_.end();) {
      if (it->second.readers.erase(who) != 0 && it->second.readers.empty()) {
        left.push_back(it->first);
        it = channels_.erase(it);
      } else {
        ++it;
      }
    }
    return left;
  }
  /// The number of a question that is about to be sent; 0 when nobody wants the channel.
  std::uint64_t asked(const std::string &channel) {
    auto it = channels_.find(channel);
    return it == channels_.end() ? 0 : it->second.question = ++last_question_;
  }
  /// True when it is the answer to the last question.
  bool confirmed(const std::string &channel, std::uint64_t question) {
    auto it = channels_.find(channel);
    if (it == channels_.end() || it->second.question != question || question == 0) return false;
    it->second.is_confirmed = true;
    return true;
  }
  /// The connection is gone: nothing is confirmed.
  void lost() noexcept {
    for (auto &[name, c] : channels_) {
      c.is_confirmed = false;
      c.question = 0;
    }
  }
  std::vector<std::string> all() const {
    std::vector<std::string> names;
    for (auto &[name, c] : channels_) names.push_back(name);
    return names;
  }
  bool empty() const noexcept { return channels_.empty(); }
  bool is_complete() const noexcept {
    for (auto &[name, c] : channels_)
      if (!c.is_confirmed) return false;
    return true;
  }
  bool wants(reader who, const std::string &channel) const {
    auto it = channels_.find(channel);
    return it != channels_.end() && it->second.readers.contains(who);
  }
  const std::set<reader> &readers_of(const std::string &channel) const {
    static const auto &none = *new std::set<reader>;  // never destroyed: I/O threads may outlive it
    auto it = channels_.find(channel);
    return it == channels_.end() ? none : it->second.readers;
  }

 private:
  struct state {
    std::set<reader> readers;
    std::uint64_t question = 0;
    bool is_confirmed = false;
  };
  std::map<std::string, state> channels_;
  std::uint64_t last_question_ = 0;
};

}  // namespace corbel::detail
