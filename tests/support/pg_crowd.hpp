#pragma once
/// Many callers of a PostgreSQL pool, each with one statement under way: some insert a row of their own, once, the others
/// read. They count what came of each.
///
///     pg_crowd crowd(pool, 200);
///     ...
///     auto r = crowd.stop();
///
/// Needs: CREATE TABLE crowd (caller int, call int). Threads: any.

#include "support/pg_calls.hpp"
#include "support/postgres_server.hpp"
#include "support/until.hpp"

#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>

namespace corbel::test {

struct pg_crowd_report {
  std::size_t calls = 0, completed = 0, again = 0, wrong = 0, ok = 0;
  std::map<std::string, std::size_t> failed;  ///< by "STATUS native"
  std::set<std::pair<int, int>> acknowledged, doubtful, refused;
};

class pg_crowd {
 public:
  pg_crowd(pg_pool pool, int count, call c = {.timeout = std::chrono::seconds(20)})
      : state_(std::make_shared<state>(std::move(pool), c, count)) {
    for (int i = 0; i < count; ++i) boost::asio::post(state_->pool.executor(), [s = state_, i] { s->next(i, 1); });
  }
  std::size_t ok() const {
    std::lock_guard lock(state_->mutex);
    return state_->report.ok;
  }
  /// No new calls; waits until every call has completed.
  pg_crowd_report stop() {
    state_->stopping = true;
    CHECK(until(std::chrono::seconds(60), [&] {
      std::lock_guard lock(state_->mutex);
      return state_->report.calls == state_->report.completed;
    }));
    std::lock_guard lock(state_->mutex);
    return state_->report;
  }

 private:
  struct state : std::enable_shared_from_this<state> {
    state(pg_pool p, call c, int n) : pool(std::move(p)), options(c), at(static_cast<std::size_t>(n)) {}

    void next(int who, int number) {
      if (stopping) return;
      {
        std::lock_guard lock(mutex);
        at[static_cast<std::size_t>(who)] = number;
        ++report.calls;
      }
      const bool writes = who % 4 == 0;
      auto s = writes ? pg_statement("INSERT INTO crowd VALUES ($1, $2) RETURNING call", who, number)
                      : pg_statement("SELECT $1", number);
      if (who % 4 == 1) s.read_only();
      pool.async_query(std::move(s), options, [self = shared_from_this(), who, number, writes](result<pg_result> r) {
        self->note(who, number, writes, r);
        boost::asio::post(self->pool.executor(), [self, who, number] { self->next(who, number + 1); });
      });
    }
    void note(int who, int number, bool writes, const result<pg_result> &r) {
      std::lock_guard lock(mutex);
      auto &now = at[static_cast<std::size_t>(who)];
      if (now != number) {
        ++report.again;
        return;
      }
      now = -number;
      ++report.completed;
      if (r) {
        ++report.ok;
        report.wrong += r->read<int>(0, 0).value() != number;
      } else {
        ++report.failed[std::string(status_name(r.error().code())) + " " + r.error().native()];
      }
      if (writes)
        (r ? report.acknowledged : r.error().may_be_applied() ? report.doubtful : report.refused).emplace(who, number);
    }

    pg_pool pool;
    call options;
    std::atomic<bool> stopping{false};
    std::mutex mutex;
    std::vector<int> at;
    pg_crowd_report report;
  };
  std::shared_ptr<state> state_;
};

/// What must hold whatever happened: each call ended once, each acknowledged row is there, each refused one is not, and none
/// is there twice.
inline void check_rows(const pg_crowd_report &r, postgres_server &server) {
  for (auto &[what, n] : r.failed) MESSAGE(what << ": " << n);
  CHECK(r.completed == r.calls);
  CHECK(r.again == 0);
  CHECK(r.wrong == 0);
  const auto twice = server.ask("SELECT caller, call, count(*) FROM crowd GROUP BY 1, 2 HAVING count(*) > 1");
  CHECK(twice.empty());
  for (auto &row : twice) {
    const std::pair key{std::stoi(row[0]), std::stoi(row[1])};
    const char *told = r.acknowledged.contains(key) ? "acknowledged" : r.doubtful.contains(key) ? "doubtful" : "refused";
    MESSAGE("caller " << row[0] << ", call " << row[1] << " is there " << row[2] << " times; it was told: " << told);
  }
  std::set<std::pair<int, int>> there;
  for (auto &row : server.ask("SELECT caller, call FROM crowd")) there.emplace(std::stoi(row[0]), std::stoi(row[1]));
  std::size_t missing = 0, unexpected = 0;
  for (auto &p : r.acknowledged) missing += !there.contains(p);
  for (auto &p : r.refused) unexpected += there.contains(p);
  CHECK(missing == 0);
  CHECK(unexpected == 0);
}

}  // namespace corbel::test
