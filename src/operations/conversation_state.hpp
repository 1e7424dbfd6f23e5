#pragma once
/// The state of each conversation in the platform's table, see conversation_sql: idle -> in_progress when a message of it is
/// taken, idle or error when its turn has ended.
///
/// What a worker says is written behind: at once where PostgreSQL is there, kept and tried again while it is away, the
/// latest word of each conversation, 10,000 of them at most. The end of a turn does not overwrite a later turn's state.
/// Thread: the executor's, which runs one thing at a time.

#include "operations/chat_task.hpp"

#include <corbel/log.hpp>
#include <corbel/pg_pool.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace corbel {

/// How a conversation was found by who wants to begin a turn of it.
struct conversation_claim {
  bool ours = true;              ///< it was free and is in progress now; or PostgreSQL was not there to ask
  bool told = false;             ///< PostgreSQL has it
  std::string active_turn = {};  ///< not ours: the turn that is in progress
};

class conversation_state {
 public:
  static constexpr std::size_t most_kept = 10'000;

  conversation_state(pg_pool pool, const std::string &tenant, const std::string &project,
                     boost::asio::any_io_executor executor, log_function log);
  ~conversation_state();
  conversation_state(const conversation_state &) = delete;
  conversation_state &operator=(const conversation_state &) = delete;

  /// Not in progress -> in progress, for the task's turn; of those who try at once, one succeeds. fresh: nobody else can
  /// know the conversation. Waits for PostgreSQL a second at most, and not at all when it was away a second ago.
  boost::asio::awaitable<conversation_claim> begin(const chat_task &task, bool fresh);

  void started(const chat_task &task);                   ///< in progress, whatever it was
  void ended(const chat_task &task, std::string state);  ///< "idle" or "error"

  /// Writes what is kept, within the time; how many conversations were not written.
  boost::asio::awaitable<std::size_t> finish(std::chrono::milliseconds timeout);
  std::uint64_t dropped() const noexcept;

 private:
  struct writer;
  std::shared_ptr<writer> writer_;
};

}  // namespace corbel
