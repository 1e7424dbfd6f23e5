#pragma once
/// Owns: the text files of a folder, indexed into PostgreSQL full-text search, and what there is to say of them. Table
/// corbel_kb_resources; made when it is missing. Threads: the runtime's executor.
///
///  - GET /api/kb/health: the platform's body, with statistics that were true when they were last read; 503 with {"detail"}
///    when PostgreSQL cannot be reached; GET /api/kb/health/process
///  - GET /api/kb/search?q=&limit=: {"results": [{"path", "rank", "headline"}]}

#include "http/router.hpp"
#include "operations/identity.hpp"
#include "operations/text_files.hpp"

#include <corbel/health.hpp>
#include <corbel/pg_pool.hpp>

#include <boost/asio/steady_timer.hpp>

#include <map>
#include <memory>

namespace corbel {

struct knowledge_stats {
  std::int64_t resources = 0, versions = 0, bytes = 0;
  std::map<std::string, std::int64_t> by_type;
};

class knowledge_index : public std::enable_shared_from_this<knowledge_index> {
 public:
  knowledge_index(runtime &rt, pg_pool pg, host_identity who, std::string folder);

  /// Looks through the folder now and every so often.
  void start(std::chrono::milliseconds every = std::chrono::seconds(10));
  void stop();
  void add_routes(http_router &router);

 private:
  boost::asio::awaitable<void> follow();
  /// What is wrong; empty when nothing is.
  boost::asio::awaitable<std::string> look();
  boost::asio::awaitable<result<void>> make();
  boost::asio::awaitable<result<void>> read_stats();
  boost::asio::awaitable<result<void>> store(text_file f);
  boost::asio::awaitable<http_response> search(std::string words, std::int64_t limit);
  http_response health_body(bool draining) const;
  http_response process_body() const;

  runtime &rt_;
  const pg_pool pg_;
  const host_identity who_;
  const std::string folder_;
  boost::asio::steady_timer timer_;
  std::chrono::milliseconds every_{10000};
  bool stopped_ = false, made_ = false, busy_ = false;
  std::map<std::string, std::string> known_;
  knowledge_stats stats_;
  std::string trouble_ = "nothing was read yet";
};

}  // namespace corbel
