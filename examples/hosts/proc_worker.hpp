#pragma once
/// What works the queue in corbel-proc: takes messages, hands each to its bundle or counts its words, tells the session, and
/// settles. Thread: the host's.

#include "host/bundles.hpp"
#include "operations/bundle_turn.hpp"
#include "operations/conversation_state.hpp"
#include "operations/latency_recorder.hpp"
#include "operations/processor_state.hpp"
#include "operations/request_table.hpp"
#include "operations/turn_figures.hpp"
#include "relay/publisher.hpp"

#include <corbel/pools.hpp>
#include <corbel/queue.hpp>
#include <corbel/queue_heartbeat.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

class proc_worker {
 public:
  /// Begins at once. bundles: may be none.
  proc_worker(boost::asio::io_context &ctx, corbel::runtime &rt, corbel::pools &pools, const corbel::host_options &options,
              corbel::host_bundles *bundles, corbel::turn_figures &figures);

  void set_concurrency(std::uint32_t most);
  const corbel::processor_state &processor() const noexcept { return processor_; }

  /// No message is taken any more; those in hand are ended or given back. How many could not be, and rows not written.
  boost::asio::awaitable<std::size_t> drain(std::chrono::milliseconds timeout);

 private:
  struct outcome;

  corbel::queue_options queue(const corbel::host_options &options);
  void log(corbel::log_level level, std::string text, std::vector<corbel::log_field> fields) const;
  boost::asio::awaitable<void> run();
  outcome unreadable(const corbel::message &m, const corbel::error &why);
  boost::asio::awaitable<outcome> handle(const corbel::chat_task &task, std::uint32_t attempt, std::uint64_t number);
  outcome of_turn(const corbel::chat_task &task, corbel::turn_end end);
  void ended(const corbel::chat_task &task, const char *state, const char *completion);
  boost::asio::awaitable<void> tell(corbel::relay_message m);
  boost::asio::awaitable<void> announce(std::string id, std::string body);

  boost::asio::io_context &ctx_;
  corbel::runtime &rt_;
  corbel::processor_state processor_;
  corbel::turn_figures &figures_;
  corbel::relay_publisher events_;
  std::optional<corbel::request_table> requests_;
  std::optional<corbel::conversation_state> conversations_;
  std::optional<corbel::queue_heartbeat> heartbeat_;
  std::shared_ptr<corbel::latency_recorder> waited_, worked_;
  corbel::host_bundles *bundles_;
  std::optional<corbel::bundle_turns> turns_;
  std::uint32_t most_ = 0, running_ = 0;  // messages in hand at once; coroutines that take them
  corbel::consumer consumer_;
};
