#include "bundle/blocking/job_run.hpp"

#include "bundle/blocking/commit_hold.hpp"
#include "bundle/blocking/current.hpp"
#include "bundle/blocking/fetch.hpp"
#include "bundle/blocking/platform_copy.hpp"
#include "bundle/blocking/prune.hpp"
#include "bundle/blocking/submodules.hpp"
#include "bundle/names.hpp"
#include "git/location.hpp"
#include "json/writer.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

namespace corbel::detail {

namespace fs = std::filesystem;

namespace {

/// What is told of progress: no more often than this.
constexpr std::chrono::milliseconds between{100};

/// libgit2 looks for known hosts in the folder that it takes for the user's home: one of ours, with nothing else in it. Its
/// name is made of what it leads to, so that all processes share it, and nothing is left behind.
std::string home_of(const job_request &request, const std::string &user_home) {
  const auto home = fs::path(request.root) / "ssh";
  auto known_hosts = request.access.known_hosts;
  if (known_hosts.empty() && !user_home.empty()) known_hosts = user_home + "/.ssh/known_hosts";
  const auto where = read_git_location(request.url);
  if (!where || where->transport != git_transport::ssh || known_hosts.empty()) return home / "none";
  const auto folder = home / bundle_folder(known_hosts);
  make_folders(folder / ".ssh");
  std::error_code ec;
  fs::create_symlink(known_hosts, folder / ".ssh/known_hosts", ec);  // or it is there already
  return folder;
}

class job {
 public:
  job(const job_request &request, const job_sender &send) : request_(request), send_(send), root_(request.root) {}

  void load() {
    auto where = read_git_location(request_.url);
    if (!where) throw failure(where.error());
    place_.folder = root_ / "repos" / repository_folder(*where);
    place_.with_submodules = request_.submodules;
    for (const auto &b : request_.bundles)
      if (b.adopt) adopt(b);
    make_folders(place_.commits());
    make_folders(place_.files());
    sweep_leftovers(place_);
    fetch_limits limits{request_.most_bytes};
    auto tell = [this](const char *stage, const git_progress &p) {
      job_message m{.what = job_message::kind::progress, .stage = stage, .objects = p.objects};
      m.of_objects = p.of_objects;
      m.bytes = p.bytes;
      progress(m);
    };
    const auto fetch = [&](bool anew) {
      auto got = fetch_commit(place_, *where, request_.access, request_.ref, limits, anew, tell);
      if (!got) throw failure(got.error());
      if (!request_.submodules) return got;
      if (auto why = fetch_submodules(place_, *where, request_.access, *got, limits, tell)) throw failure(why);
      return got;
    };
    auto fetched = fetch(false);
    auto held = check_out(*fetched);
    if (!held && held.error().native() == "OBJECT") {
      // The mirror lacks what it should have: it is fetched anew, once.
      fetched = fetch(true);
      held = check_out(*fetched);
    }
    if (!held) throw failure(held.error());
    job_message done{.what = job_message::kind::done, .commit = fetched->commit, .folder = place_.commit(fetched->commit)};
    done.repaired = held->figures.repaired;
    if (!held->built && request_.held != done.commit) done.repaired = repair_commit(*fetched->mirror, place_, done.commit);
    for (const auto &b : request_.bundles) done.bundles.push_back(switch_to(b, *where, done.commit));
    done.fetched = fetched->fetched;
    done.built = held->built;
    done.files = held->figures.files;
    done.bytes = held->figures.bytes;
    done.linked = held->figures.linked;
    send_(done, held->lock.descriptor());
    // After the answer, for nobody waits for it.
    if (held->built) share_commit(place_, done.commit, *held);
    bool switched = false;
    for (const auto &b : done.bundles) switched = switched || b.switched;
    if (switched) prune(place_);
  }

  void forget() {
    job_message done{.what = job_message::kind::done};
    for (const auto &b : request_.bundles) done.bundles.push_back({b.id, forget_current(root_, b.id), {}});
    send_(done, -1);
  }

  void prune_all() {
    std::error_code ec;
    for (fs::directory_iterator at(root_ / "repos", ec), end; !ec && at != end; at.increment(ec)) {
      for (bool with_submodules : {false, true}) {
        const repository_place place{at->path(), with_submodules};
        sweep_leftovers(place);
        prune(place);
      }
    }
    send_({.what = job_message::kind::done}, -1);
  }

 private:
  void progress(const job_message &m) {
    const auto now = std::chrono::steady_clock::now();
    if (m.stage == stage_ && now - told_ < between) return;
    stage_ = m.stage;
    told_ = now;
    send_(m, -1);
  }

  void adopt(const job_bundle &b) {
    const auto current = read_current(root_, b.id);
    if (!current) return;
    const repository_place place{root_ / "repos" / current->repository, current->with_submodules};
    auto held = hold_existing(place, current->commit);
    if (!held) return;
    job_message kept{.what = job_message::kind::kept, .id = b.id, .commit = current->commit};
    kept.folder = place.commit(current->commit);
    kept.subdir = current->subdir;
    send_(kept, held->lock.descriptor());
  }

  result<held_commit> check_out(const fetched_commit &f) {
    return hold_commit(*f.mirror, place_, f.commit, {request_.most_bytes, request_.most_files, request_.most_path},
                       [this](std::uint64_t files, std::uint64_t bytes) {
                         job_message m{.what = job_message::kind::progress, .stage = "writing"};
                         m.files = files;
                         m.bytes = bytes;
                         progress(m);
                       });
  }

  job_bundle_result switch_to(const job_bundle &b, const git_location &where, const std::string &commit) {
    job_bundle_result out{b.id, false, {}};
    std::error_code ec;
    if (!fs::is_directory(place_.commit(commit) / b.subdir, ec)) {
      out.why = error(status::refused, fmt::format("commit {} has no folder '{}'", commit.substr(0, 12), b.subdir), "bundle",
                      "SUBDIR", error::retriable);
      return out;
    }
    try {
      std::string note;
      json_writer w(note);
      w.begin_object().member("id", b.id).member("url", where.url).member("ref", request_.ref).member("subdir", b.subdir);
      w.member("commit", commit).end_object();
      if (!request_.managed.empty())
        keep_platform_copy({request_.managed, where.name, {b.id, where.url, request_.ref, b.subdir, commit}}, place_);
      out.switched = switch_current(root_, b.id, {place_.folder.filename(), commit, b.subdir, request_.submodules}, note);
    } catch (const failure &f) {
      out.why = f.error();
    }
    return out;
  }

  void prune(const repository_place &place) {
    job_message removed{.what = job_message::kind::removed};
    for (const auto &name : prune_commits(root_, place, request_.retention))
      removed.removed.push_back(place.folder.filename().string() + "/" + name);
    if (!removed.removed.empty()) send_(removed, -1);
  }

  const job_request &request_;
  const job_sender &send_;
  const fs::path root_;
  repository_place place_;
  std::string stage_;
  std::chrono::steady_clock::time_point told_{};
};

}  // namespace

job_runner::job_runner() : user_home_(std::getenv("HOME") ? std::getenv("HOME") : "") {}

job_runner::~job_runner() = default;

void job_runner::start_library(const job_request &request) {
  const auto home = home_of(request, user_home_);
  if (library_ && home == home_ && request.access.ca_file == ca_file_) return;
  library_.reset();
  library_ = std::make_unique<git_library>(home, request.access.ca_file);
  home_ = home;
  ca_file_ = request.access.ca_file;
}

bool job_runner::run(const job_request &request, const job_sender &send) {
  const auto fail = [&](error why) {
    send({.what = job_message::kind::failed, .why = std::move(why)}, -1);
    return false;
  };
  try {
    start_library(request);
    job j(request, send);
    if (request.kind == job_kind::load)
      j.load();
    else if (request.kind == job_kind::forget)
      j.forget();
    else
      j.prune_all();
    const auto where = read_git_location(request.url);
    return request.access.secret.empty() && (!where || where->password.empty());
  } catch (const failure &f) {
    return fail(f.error());
  } catch (const std::bad_alloc &) {
    return fail(error::out_of_memory());
  } catch (const std::exception &x) {
    return fail(error(status::internal, fmt::format("unexpected: {}", x.what()), "bundle"));
  }
}

}  // namespace corbel::detail
