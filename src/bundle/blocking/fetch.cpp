#include "bundle/blocking/fetch.hpp"

#include "bundle/blocking/file_lock.hpp"
#include "git/blocking/local_packs.hpp"

#include <algorithm>

namespace corbel::detail {

namespace {

class fetching {
 public:
  fetching(const repository_place &place, const git_location &where, const git_access &access, const std::string &ref,
           const fetch_limits &limits, const std::function<void(const char *, const git_progress &)> &progress)
      : place_(place),
        where_(where),
        ref_(ref),
        limits_(limits),
        progress_(progress),
        link_(where, access, [this](const git_progress &p) { progress_("receiving", p); }) {}

  result<fetched_commit> run(bool anew) {
    if (auto why = check_git_ref(ref_)) return why;
    if (anew) {
      lock();
      remove_tree(place_.mirror());
    }
    if (!lock_) out_.mirror = git_mirror::open(place_.mirror());
    if (!out_.mirror) {
      lock();
      auto made = git_mirror::repair(place_.mirror());
      if (!made) return made.error();
      out_.mirror = std::move(*made);
    }
    // A commit never changes: when it is there nobody has to be asked.
    if (is_full_commit(ref_) && take_known(ref_)) return std::move(out_);
    auto choice = ask();
    if (!choice) return choice.error();
    if (take_known(choice->id) || (choice->is_commit && take_short())) return std::move(out_);
    if (!lock_) {
      lock_ = file_lock::attempt(place_.mirror_lock(), file_lock::mode::alone);
      if (!lock_) {
        // Somebody is fetching, perhaps this very commit; and what the server said may be old when that ends.
        lock();
        choice = ask();
        if (!choice) return choice.error();
        if (take_known(choice->id) || (choice->is_commit && take_short())) return std::move(out_);
      }
      auto whole = git_mirror::repair(place_.mirror());
      if (!whole) return whole.error();
    }
    out_.fetched = true;
    // A mirror that is made anew was broken, perhaps with what a copy would bring again.
    if (!anew && copy_local(*choice)) return std::move(out_);
    if (auto why = fetch(*choice)) return why;
    return std::move(out_);
  }

 private:
  void lock() {
    if (lock_) return;
    progress_("waiting", {});
    lock_ = file_lock::wait(place_.mirror_lock(), file_lock::mode::alone);
  }

  result<git_choice> ask() {
    progress_("connecting", {});
    if (auto connected = link_.connect(&*out_.mirror); !connected) return connected.error();
    auto listed = link_.list();
    if (!listed) return listed.error();
    advertised_ = std::move(*listed);
    return choose_git_ref(advertised_, ref_);
  }

  /// True when the mirror has it already.
  bool take_known(const std::string &id) {
    if (id.empty()) return false;
    auto commit = out_.mirror->commit_of(id);
    if (!commit || !out_.mirror->has(*commit)) return false;
    out_.commit = *commit;
    return true;
  }

  bool take_short() {
    auto commit = out_.mirror->find(ref_);
    return commit && take_known(*commit);
  }

  bool copy_local(const git_choice &choice) {
    const bool copied = copy_local_packs(where_, *out_.mirror, limits_.bytes,
                                         [this](std::uint64_t bytes) { progress_("receiving", {.bytes = bytes}); });
    if (!copied || !(take_known(choice.id) || (choice.is_commit && take_short()))) return false;
    out_.mirror->keep(choice.is_commit ? "commits/" + out_.commit : choice.name, out_.commit);
    return true;
  }

  error fetch(const git_choice &choice) {
    if (!choice.is_commit) {
      if (auto got = link_.fetch({choice.name}, limits_.bytes); !got) return got.error();
      auto commit = out_.mirror->commit_of(choice.id);
      if (!commit) return commit.error();
      out_.commit = *commit;
      out_.mirror->keep(choice.name, out_.commit);
      return {};
    }
    auto tip = std::ranges::find_if(advertised_,
                                    [this](const auto &a) { return a.id.starts_with(ref_) && !a.name.ends_with("^{}"); });
    if (tip == advertised_.end() || tip->name == "HEAD") {
      // Not all servers give a commit by its id: then all branches and tags, one of which has it or none.
      std::vector<std::string> all;
      for (const auto &a : advertised_)
        if ((a.name.starts_with("refs/heads/") || a.name.starts_with("refs/tags/")) && !a.name.ends_with("^{}"))
          all.push_back(a.name);
      const bool direct = is_full_commit(ref_) && link_.fetch({ref_}, limits_.bytes) && out_.mirror->has(ref_);
      if (!direct) {
        auto again = ask();
        if (!again) return again.error();
        if (auto got = link_.fetch(all, limits_.bytes); !got) return got.error();
        for (const auto &a : advertised_)
          if (a.name.starts_with("refs/heads/")) out_.mirror->keep(a.name, a.id);
      }
    } else if (auto got = link_.fetch({tip->name}, limits_.bytes); !got) {
      return got.error();
    }
    auto commit = out_.mirror->find(ref_);
    if (!commit) return commit.error();
    out_.commit = *commit;
    out_.mirror->keep("commits/" + out_.commit, out_.commit);
    return {};
  }

  const repository_place &place_;
  const git_location &where_;
  const std::string &ref_;
  const fetch_limits &limits_;
  const std::function<void(const char *, const git_progress &)> &progress_;
  file_lock lock_;
  git_remote_link link_;
  std::vector<git_advertised> advertised_;
  fetched_commit out_;
};

}  // namespace

result<fetched_commit> fetch_commit(const repository_place &place, const git_location &where, const git_access &access,
                                    const std::string &ref, const fetch_limits &limits, bool anew,
                                    const std::function<void(const char *stage, const git_progress &)> &progress) {
  fetching f(place, where, access, ref, limits, progress);
  return f.run(anew);
}

}  // namespace corbel::detail
