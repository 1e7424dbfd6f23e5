/* Corbel: bundles, code that a host runs, kept in a git repository at a ref. The loader brings it, keeps it current, and
 * hands it out pinned to a commit.
 *
 *     corbel_bundles_options o = {.struct_size = sizeof o, .root = "/var/lib/app/bundles", .to = q};
 *     corbel_bundle_source s = {.struct_size = sizeof s, .id = "app", .url = "https://git.example/app.git", .ref = "main"};
 *     corbel_bundles_open(rt, &o, &loader, &err);
 *     corbel_bundles_load(loader, &s, &call, NULL);       // one CORBEL_EVENT_BUNDLE; its object: a corbel_bundle
 *     corbel_bundles_pin(loader, "app", &b, &err);        // what is current; never waits
 *     run(corbel_bundle_path(b));                         // stays as it is until
 *     corbel_bundle_free(b);                              // it is unpinned
 *
 * Git runs in the program corbel-git, which is killed at a deadline or on cancel. Several loaders and processes may share a
 * root: a repository is fetched once, a commit written once. A commit's folder is complete before it has its name,
 * read-only, and stays while a pin of it lives in any process. Threads: the loader any; a bundle one at a time. */
#ifndef CORBEL_C_BUNDLE_H
#define CORBEL_C_BUNDLE_H
#include <corbel/c/events.h>
#include <corbel/c/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corbel_bundles corbel_bundles; /* a loader */
typedef struct corbel_bundle corbel_bundle;   /* one bundle, pinned at one commit */

/* What is not given comes from the environment: GIT_HTTP_TOKEN, GIT_HTTP_USER, GIT_HTTP_HOSTS, GIT_SSH_KEY_PATH,
 * GIT_SSH_KNOWN_HOSTS, GIT_SSL_CAINFO. */
#define CORBEL_ACCESS_ENVIRONMENT 0x1u

/* How repositories are entered whose source brings no credentials of its own. With a token, user@host:path and
 * ssh://user@host/path become https://host/path, unless the source has a key. */
typedef struct corbel_bundle_access {
  uint32_t struct_size;
  uint32_t flags;          /* CORBEL_ACCESS_ENVIRONMENT */
  const char *secret;      /* token or password; goes over https only */
  const char *user;        /* beside it; NULL: "x-access-token" */
  const char *hosts;       /* that get them, with commas between; NULL: every host that a source names */
  const char *ssh_key;     /* path of a private key; NULL: the agent of SSH_AUTH_SOCK */
  const char *known_hosts; /* path; NULL: ~/.ssh/known_hosts. Host keys are always checked */
  const char *ca_file;     /* path of certificate authorities; NULL: the system's */
} corbel_bundle_access;

/* The platform's lock in Redis, which keeps several machines from doing the same work; renewed, and deleted only while it
 * is ours. A Redis that is away holds nobody up. */
typedef struct corbel_bundle_lock {
  uint32_t struct_size;
  uint32_t flags;             /* none defined */
  struct corbel_redis *redis; /* its pool; required; it may be freed */
  const char *tenant;         /* NULL: "home" */
  const char *project;        /* NULL: "default-project" */
  int64_t ttl_ms;             /* 0: 30,000 */
} corbel_bundle_lock;

/* The root is a managed root of the platform's: each bundle is kept there as the platform's own processes would, under their
 * names, with .git and marker file, made under their file locks; what is Corbel's own is in its folder .corbel. */
#define CORBEL_BUNDLES_PLATFORM 0x1u

typedef struct corbel_bundles_options {
  uint32_t struct_size;
  uint32_t flags;                     /* CORBEL_BUNDLES_PLATFORM */
  const char *root;                   /* absolute; made when it is not there; required */
  const char *program;                /* path of corbel-git; NULL: the environment's CORBEL_GIT, else beside the library */
  int64_t network_ms;                 /* of a load as a whole where its call has no timeout; 0: 120,000 */
  uint64_t max_bytes;                 /* of a commit, and of what one fetch receives; 0: 1 GiB */
  uint64_t max_files;                 /* of a commit; 0: 200,000 */
  uint32_t max_path;                  /* bytes of a path in it; 0: 1,024 */
  uint32_t max_running;               /* corbel-git at once; loads beyond wait; 0: 4 */
  uint32_t keep;                      /* commits of a repository kept that nobody uses, the last used; 0: 3 */
  uint32_t max_notices;               /* kept for a slow reader, then the oldest are dropped and counted; 0: 1,024 */
  int64_t keep_ms;                    /* unused commits are removed after it, in whole seconds; 0: no such limit */
  uint64_t keep_bytes;                /* of a repository's commits; unused ones beyond go; 0: no such limit */
  int64_t retry_first_ms;             /* before the first scheduled try after a failure; 0: 5,000 */
  int64_t retry_most_ms;              /* doubling up to it; 0: 300,000 */
  corbel_events *to;                  /* gets CORBEL_EVENT_BUNDLE_NOTICE; may be NULL */
  uint64_t user;                      /* handed back in each */
  const corbel_bundle_access *access; /* for sources without credentials; NULL: none */
  const corbel_bundle_lock *lock;     /* NULL: file locks alone */
} corbel_bundles_options;

/* Without a commit of it the host is ready all the same. */
#define CORBEL_BUNDLE_OPTIONAL 0x1u
/* Its submodules too, at the commits that the repository names; credentials stay with its host. */
#define CORBEL_BUNDLE_SUBMODULES 0x2u

/* Where a bundle's code comes from. Secrets stay in memory, and go to corbel-git through a pipe. */
typedef struct corbel_bundle_source {
  uint32_t struct_size;
  uint32_t flags;          /* CORBEL_BUNDLE_OPTIONAL, CORBEL_BUNDLE_SUBMODULES */
  const char *id;          /* required */
  const char *url;         /* https://, http://, ssh://, file://, user@host:path, or an absolute path; required */
  const char *ref;         /* branch, tag, commit or begin of a commit; NULL: the repository's default branch */
  const char *subdir;      /* the bundle's folder in the repository; NULL: all of it */
  const char *user;        /* NULL: the URL's; with a secret "x-access-token" for http(s); "git" for ssh */
  const char *secret;      /* http(s): token or password; ssh: the key's passphrase */
  const char *ssh_key;     /* path of a private key; NULL: the agent of SSH_AUTH_SOCK */
  const char *known_hosts; /* path; NULL: ~/.ssh/known_hosts. A host that it does not hold is refused */
  const char *ca_file;     /* path of certificate authorities; NULL: the system's */
  int64_t follow_ms;       /* look for a new commit so often, a tenth earlier or later; 0: only when asked */
} corbel_bundle_source;

/* Values of a CORBEL_EVENT_BUNDLE_NOTICE. Its object is a corbel_text, a JSON object: {"event": "switched", "id", "commit",
 * "previous", "path", "error", "bytes", "files", "took"}; path: of the code, of a switched one; took in ms, of the look as a
 * whole. */
#define CORBEL_BUNDLE_FETCHED 1   /* a commit was received */
#define CORBEL_BUNDLE_SWITCHED 2  /* it is current now; previous: what was */
#define CORBEL_BUNDLE_FAILED 3    /* a look failed; error: its text */
#define CORBEL_BUNDLE_REMOVED 4   /* a commit's folder was removed; id: of the repository's folder */
#define CORBEL_BUNDLE_REPAIRED 5  /* files that somebody had written to were made anew; files: how many */
#define CORBEL_BUNDLE_REFUSED 6   /* an entry of the followed registry is wrong, or with an empty id all of it; error: why */
#define CORBEL_BUNDLE_FORGOTTEN 7 /* the followed registry lists it no more */

CORBEL_API corbel_status corbel_bundles_open(corbel_runtime *rt, const corbel_bundles_options *o, corbel_bundles **out,
                                             corbel_error **err);
/* Makes the source the one of its id, brings its commit, makes that current, and pins it: one CORBEL_EVENT_BUNDLE. It fails
 * with what went wrong, and what was current before stays current. A wrong source is refused by the event. */
CORBEL_API corbel_status corbel_bundles_load(corbel_bundles *l, const corbel_bundle_source *s, const corbel_call *c,
                                             corbel_ticket *t);
/* What is current of that id. INVALID for an unknown id, UNAVAILABLE while there is nothing. Never waits. */
CORBEL_API corbel_status corbel_bundles_pin(corbel_bundles *l, const char *id, corbel_bundle **out, corbel_error **err);
/* Forgets a bundle; its folder is removed as the retention says, and pins stay good. Its event is CORBEL_EVENT_DONE. */
CORBEL_API corbel_status corbel_bundles_forget(corbel_bundles *l, const char *id, const corbel_call *c, corbel_ticket *t);
/* Removes what the retention says in all repositories of the root, and what killed processes have left; loads do it for
 * their own repository. Its event is CORBEL_EVENT_DONE; value: commits removed. */
CORBEL_API corbel_status corbel_bundles_prune(corbel_bundles *l, const corbel_call *c, corbel_ticket *t);
/* All bundles: {"bundles": {"<id>": {"state": "loading|ready|stale|absent", "commit", "path", "url", "ref", "subdir",
 * "required", "error", "failures", "since", "checked", "files", "bytes", "progress": {"stage", "objects", "of_objects",
 * "bytes", "files", "percent"}}}}; since and checked in Unix ms. */
CORBEL_API corbel_status corbel_bundles_json(corbel_bundles *l, corbel_text **out, corbel_error **err);
/* Ends what is under way with CORBEL_CLOSED. Pins stay good. */
CORBEL_API void corbel_bundles_free(corbel_bundles *l);

/* Each lives as long as the bundle. */
CORBEL_API const char *corbel_bundle_id(const corbel_bundle *b);
CORBEL_API const char *corbel_bundle_commit(const corbel_bundle *b); /* 40 hexadecimal digits */
CORBEL_API const char *corbel_bundle_path(const corbel_bundle *b);   /* of its code: the commit's folder with the subdir */
CORBEL_API const char *corbel_bundle_folder(const corbel_bundle *b); /* the commit's whole folder */
CORBEL_API void corbel_bundle_free(corbel_bundle *b);                /* unpins */

/* Reads the document that says which bundles there are, bundles.yaml or the registry's JSON: {"version", "default_id",
 * "entries": [{"id", "name", "description", "repo", "ref", "subdir", "git_commit", "path", "module", "singleton",
 * "config"}], "faults": [{"id", "path", "text"}]}. A bad entry is among the faults, and the others are good: never an error
 * of its own. */
CORBEL_API corbel_status corbel_bundle_registry_read(const char *text, size_t size, corbel_text **out, corbel_error **err);

#ifdef __cplusplus
}
#endif
#endif
