#pragma once
/// Plays the platform's part of its chat queue, command by command as its own workers do: the move in flight, the locks, the
/// started marker, the acknowledge, the reaper. Threads: one at a time.
///
///     platform_worker theirs(server);
///     auto task = theirs.claim("registered");       // nothing: nothing was ready, or it is locked and was put back
///     theirs.start(*task);
///     theirs.acknowledge(*task);

#include "support/redis_server.hpp"

#include <optional>
#include <string>
#include <vector>

namespace corbel::test {

inline const std::string platform_scope = "t:p:";
inline const std::string platform_queue = platform_scope + "kdcube:chat:prompt:queue:";
inline const std::string platform_lock = platform_scope + "kdcube:lock:";

class platform_worker {
 public:
  explicit platform_worker(redis_server &server, std::string name = "theirs:4711")
      : server_(server), name_(std::move(name)) {}

  struct task {
    std::string type, raw, id;
    std::string conversation_lock;  ///< its key; empty: it names none
  };

  std::optional<task> claim(const std::string &type);
  /// The first part of a claim only: moved, and no lock yet.
  std::optional<task> move(const std::string &type);
  /// The second part. False: it is locked, and was put back.
  bool lock(task &t);
  void start(const task &t);  ///< sets the started marker
  void acknowledge(const task &t);
  void put_back(const task &t);

  struct reaped {
    std::size_t back = 0, interrupted = 0;
    /// Put back though they were not to be, because its steps are apart: since the list was read another had brought them
    /// back, settled them, or taken them again. Such a message is worked twice.
    std::vector<std::string> raced = {};
    std::vector<std::pair<std::string, std::string>> told = {};  ///< of each that was put back: id, what was found
  };
  /// One pass over all five lists in flight.
  reaped reap();

  long long ready(const std::string &type);
  long long in_flight(const std::string &type);

 private:
  std::string token(const task &t) const { return name_ + ":" + t.id; }
  void release(const std::string &key, const std::string &token);

  redis_server &server_;
  const std::string name_;
};

/// "conversation:t:p:<user>:<conversation>" with the lock's prefix.
std::string platform_conversation_lock(const std::string &user, const std::string &conversation);

/// A task of the platform with everything that a payload of its has. extra: more top-level members, each with a comma first.
std::string platform_task(const std::string &id, const std::string &conversation = "",
                          const std::string &type = "registered", const std::string &extra = "");

}  // namespace corbel::test
