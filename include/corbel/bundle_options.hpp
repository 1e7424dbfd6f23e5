#pragma once
/// What the bundle loader takes and tells: its options, sources of bundles, their status, events.

#include <corbel/bundle_access.hpp>
#include <corbel/error.hpp>
#include <corbel/redis_pool.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace corbel {

/// What lies under the root.
enum class bundle_layout : std::int32_t {
  native = 0,
  /// Beside the platform's own processes on their managed root: each bundle is kept there as they would, under their names,
  /// with .git and marker file, made under their file locks; what is Corbel's own is in its folder .corbel. Bundles are
  /// handed out from there as ever.
  platform = 1,
};

/// The platform's lock in Redis, which keeps several machines from doing the same work; without it file locks do, as far as
/// the file system carries them. A Redis that is away holds nobody up.
struct bundle_lock_options {
  std::optional<redis_pool> redis = {};  ///< none: no such lock
  std::string tenant = "home", project = "default-project";
  std::chrono::milliseconds ttl{30'000};  ///< renewed each third of it, so it outlives a killed holder for no longer
};

struct bundles_options {
  std::string root;                                    ///< absolute; made when it is not there
  std::string program = {};                            ///< path of corbel-git; empty: CORBEL_GIT, else beside the library
  std::chrono::milliseconds network_timeout{120'000};  ///< of a load as a whole where its call has none
  std::uint64_t max_bytes = std::uint64_t{1} << 30;    ///< of a commit, and of what one fetch receives
  std::uint64_t max_files = 200'000;                   ///< of a commit
  std::uint64_t max_path = 1024;                       ///< bytes of a path in it
  unsigned max_running = 4;                            ///< corbel-git at once; loads beyond wait
  std::uint32_t keep = 3;                              ///< commits of a repository kept that nobody uses, the last used
  std::chrono::seconds keep_for{0};                    ///< unused ones are removed after it; 0: no such limit
  std::uint64_t keep_bytes = 0;                        ///< of a repository's commits; unused ones beyond go; 0: no limit
  std::chrono::milliseconds retry_first{5'000}, retry_most{300'000};  ///< between scheduled tries after failures
  std::uint32_t max_notices = 1024;  ///< events to a slow reader, which is told how many it lost
  bundle_access access = {};         ///< for sources without credentials of their own
  bundle_layout layout = bundle_layout::native;
  bundle_lock_options lock = {};
};

/// Where a bundle's code comes from. Secrets stay in memory, and go to corbel-git through a pipe.
struct bundle_source {
  std::string id;
  std::string url;                      ///< https://, http://, ssh://, file://, user@host:path, or an absolute path
  std::string ref = {};                 ///< branch, tag, commit or begin of a commit; empty: the repository's default branch
  std::string subdir = {};              ///< the bundle's folder in the repository
  std::string user = {};                ///< empty: the URL's; with a secret "x-access-token" for http(s); "git" for ssh
  std::string secret = {};              ///< http(s): token or password; ssh: the key's passphrase
  std::string ssh_key = {};             ///< path of a private key; empty: the agent of SSH_AUTH_SOCK
  std::string known_hosts = {};         ///< path; empty: ~/.ssh/known_hosts. A host that it does not hold is refused
  std::string ca_file = {};             ///< path of certificate authorities; empty: the system's
  std::chrono::milliseconds follow{0};  ///< look for a new commit so often, a tenth earlier or later; 0: only when asked
  bool submodules = false;  ///< theirs too, at the commits that the repository names; credentials stay with its host
  bool required = true;     ///< without a commit of it the host is not ready
  friend bool operator==(const bundle_source &, const bundle_source &) = default;
};

enum class bundle_state : std::int32_t {
  loading = 0,  ///< nothing to serve yet
  ready = 1,    ///< the last look went well
  stale = 2,    ///< the last look failed; the last good commit keeps serving
  absent = 3,   ///< the last look failed, and there is nothing to serve
};
const char *bundle_state_name(bundle_state s) noexcept;

struct bundle_progress {
  std::string stage = {};  ///< "queued", "waiting" for another process, "connecting", "receiving", "writing"; empty: idle
  std::uint64_t objects = 0, of_objects = 0, bytes = 0, files = 0;
  /// Of what is received, 0 to 100.
  unsigned percent() const noexcept { return of_objects == 0 ? 0 : static_cast<unsigned>(objects * 100 / of_objects); }
};

struct bundle_status {
  std::string id, url, ref, subdir;  ///< the URL without secrets
  std::string commit, path;          ///< what is current; empty: nothing
  bundle_state state = bundle_state::loading;
  bool required = true;
  error why = {};                                      ///< of the last look, when it failed
  std::uint32_t failures = 0;                          ///< in a row
  std::chrono::system_clock::time_point since = {};    ///< when this commit became current here
  std::chrono::system_clock::time_point checked = {};  ///< when a look last went well
  std::uint64_t bytes = 0, files = 0;                  ///< of the commit, as far as known
  bundle_progress progress = {};
};

enum class bundle_event_kind : std::int32_t {
  fetched = 1,    ///< a commit was received
  switched = 2,   ///< it is current now; previous: what was
  failed = 3,     ///< a look failed; why: its error
  removed = 4,    ///< a commit's folder was removed
  repaired = 5,   ///< files of a commit that somebody had written to were made anew; files: how many
  refused = 6,    ///< an entry of the followed registry is wrong, or with an empty id all of it; what there was stays
  forgotten = 7,  ///< the followed registry has it no more: it was forgotten
};
const char *bundle_event_name(bundle_event_kind k) noexcept;

struct bundle_event {
  enum class kind { message };  ///< what a mailbox has to know
  kind type = kind::message;
  std::uint64_t dropped = 0;  ///< events lost before this one, because nobody read them
  bundle_event_kind what = bundle_event_kind::fetched;
  std::string id = {};  ///< of the bundle; of `removed`: of the repository's folder
  std::string commit = {}, previous = {};
  std::string path = {};  ///< of `switched`: the folder of its code, which is there as long as the bundle is pinned
  error why = {};
  std::uint64_t bytes = 0, files = 0;
  std::chrono::milliseconds took{0};  ///< of the look as a whole
};

}  // namespace corbel
