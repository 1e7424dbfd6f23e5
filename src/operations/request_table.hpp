#pragma once
/// Each chat request and what became of it, in PostgreSQL, for whoever asks later: the table `requests` in the schema of
/// tenant and project, made where it is missing.
///
///     task_id (key), session_id, conversation_id, event_id, user_type, instance, received_at: from who took it
///     state ("accepted" until it ended), worker, ended_at, words:                              from who worked it
///
/// Both sides fill in their own columns, in whatever order they come. Calls return at once: rows are written behind, many in
/// one statement, and kept while PostgreSQL is away, 10,000 at most; what is dropped beyond that is counted and logged.
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

class request_table {
 public:
  static constexpr std::size_t most_kept = 10'000;

  /// instance: of this process, written beside what it took or worked.
  request_table(pg_pool pool, const std::string &tenant, const std::string &project, std::string instance,
                boost::asio::any_io_executor executor, log_function log);
  ~request_table();
  request_table(const request_table &) = delete;
  request_table &operator=(const request_table &) = delete;

  void accepted(const chat_task &task);
  /// state: "completed" or "failed".
  void ended(const std::string &task_id, std::string state, std::int64_t words);

  /// Writes what is kept, within the time; how many rows were not written.
  boost::asio::awaitable<std::size_t> finish(std::chrono::milliseconds timeout);

  std::uint64_t dropped() const noexcept;

  /// "kdcube_<tenant>_<project>", with '-' and ' ' as '_'; a prefix that the name has already is not doubled.
  static std::string schema(const std::string &tenant, const std::string &project);

 private:
  struct writer;
  std::shared_ptr<writer> writer_;
};

}  // namespace corbel
