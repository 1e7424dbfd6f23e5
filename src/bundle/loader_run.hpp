#pragma once
/// What the loader keeps of one run of corbel-git and of those who wait for it. Private to loader_core's files.

#include "bundle/git_job.hpp"
#include "bundle/git_lock.hpp"
#include "bundle/loader_core.hpp"

namespace corbel::detail {

/// Somebody who waits; the loader itself, on schedule, is one without `end`.
struct loader_core::asker {
  asker(loop &l, std::string b) : id(std::move(b)), deadline(l.context()) {}
  std::string id;  ///< of the bundle; empty for a pruning
  std::uint64_t ticket = 0;
  std::chrono::milliseconds timeout{0};
  boost::asio::steady_timer deadline;
  std::function<void(const error &why, std::size_t removed)> end;
};

struct loader_core::run {
  job_request request;
  std::list<std::shared_ptr<asker>> askers;
  std::shared_ptr<git_lock> lock;  ///< held, or waited for
  std::shared_ptr<git_job> job;    ///< none: it has not begun, or waits for the lock
  clock::time_point began{};
  boost::asio::steady_timer last;  ///< bounds what is done after the outcome
  std::size_t removed = 0;
  bool has_outcome = false;
  error failure;

  explicit run(loop &l) : last(l.context()) {}
  bool has(std::string_view id) const {
    for (const auto &b : request.bundles)
      if (b.id == id) return true;
    return false;
  }
  bool same_look(const job_request &o) const {
    return request.kind == job_kind::load && o.kind == job_kind::load && request.url == o.url && request.ref == o.ref &&
           request.access == o.access && request.submodules == o.submodules;
  }
};

struct loader_core::followed {
  explicit followed(loop &l) : timer(l.context()) {}
  follow_plan plan;
  boost::asio::steady_timer timer;
};

}  // namespace corbel::detail
