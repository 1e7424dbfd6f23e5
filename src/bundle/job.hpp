#pragma once
/// The lines between the library and the program corbel-git that works for it: one JSON object each. The library sends one
/// request and reads messages until the end. With some messages comes a descriptor, which holds a commit: as long as it is
/// open in any process, the commit's folder is not removed. Pure; any thread.

#include "bundle/retention.hpp"
#include "git/access.hpp"

#include <corbel/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace corbel::detail {

struct job_bundle {
  std::string id, subdir;
  bool adopt = false;  ///< nothing of it is held yet: say what is current before anything else
};

enum class job_kind { load, forget, prune };

struct job_request {
  job_kind kind = job_kind::load;
  std::string root;
  std::string url, ref;             ///< load
  git_access access;                ///< load
  std::vector<job_bundle> bundles;  ///< load: to be switched to the commit; forget
  std::uint64_t most_bytes = 0, most_files = 0, most_path = 0;
  retention_policy retention;
  std::string managed = {};  ///< load: the platform's managed root, where a copy is kept; empty: none
  bool submodules = false;   ///< load: they too
  std::string held = {};     ///< load: a commit that the asker has held and checked already
};

struct job_bundle_result {
  std::string id;
  bool switched = false;  ///< current was something else
  error why;              ///< the others may be well
};

struct job_message {
  enum class kind { kept, progress, done, failed, removed, idle };
  kind what = kind::progress;  ///< idle: the job has ended, and another one may be sent
  // kept: what is current of a bundle; with a descriptor. done: the commit; with a descriptor for a load.
  std::string id = {}, commit = {}, folder = {}, subdir = {};
  // progress; of done: what the checkout is
  std::string stage = {};  ///< "waiting", "connecting", "receiving", "writing"
  std::uint64_t objects = 0, of_objects = 0, bytes = 0, files = 0;
  // done
  bool fetched = false, built = false;
  std::uint64_t linked = 0;    ///< files shared with other commits
  std::uint64_t repaired = 0;  ///< files that somebody had written to
  std::vector<job_bundle_result> bundles = {};
  error why = {};                         ///< failed
  std::vector<std::string> removed = {};  ///< removed: "<repository's folder>/<commit>"
};

/// Without the line's end.
std::string write_job(const job_request &r);
std::string write_job(const job_message &m);
result<job_request> read_job_request(std::string_view line);
result<job_message> read_job_message(std::string_view line);

}  // namespace corbel::detail
