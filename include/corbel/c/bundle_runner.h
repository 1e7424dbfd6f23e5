/* Corbel: running bundles. The handlers of bundles are programs in any language, each a long-lived child process that takes
 * requests and answers them in lines of JSON, as the file bundle.yaml in the bundle's folder says.
 *
 *     corbel_bundle_runner_options o = {.struct_size = sizeof o};
 *     corbel_bundle_runner_open(loader, &o, &runner, &err);
 *     corbel_bundle_run(runner, "app", "turn", "{\"text\": \"hello\"}", 17, &call, NULL);
 *     // any number of CORBEL_EVENT_BUNDLE_SAID with the call's user, then one CORBEL_EVENT_BUNDLE_ANSWER
 *
 * A handler is started with its first request, again after it died, ever more rarely when it keeps dying. When another
 * commit becomes current, its handler is started beside the old one; once it is ready it gets the new requests, the old one
 * ends those it has, and stops. A handler that says nonsense, too much or nothing is ended, and what it had in hand fails,
 * once. It runs as another user when this process is root, with an environment of its own, and nothing that it has started
 * outlives this process. Threads: any. */
#ifndef CORBEL_C_BUNDLE_RUNNER_H
#define CORBEL_C_BUNDLE_RUNNER_H
#include <corbel/c/bundle.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corbel_bundle_runner corbel_bundle_runner;

#define CORBEL_EVENT_BUNDLE_SAID 28   /* notice of a handler, for the user of a run's call; object: corbel_text, JSON */
#define CORBEL_EVENT_BUNDLE_ANSWER 29 /* completion of a run; object: corbel_text, a JSON object; NULL on failure */

typedef struct corbel_bundle_runner_options {
  uint32_t struct_size;
  uint32_t flags;          /* none defined */
  const char *program;     /* path of corbel-run; NULL: the environment's CORBEL_RUN, else beside the library */
  const char *user;        /* who the handlers run as when this process is root; NULL: nobody */
  const char *environment; /* names of variables of this process, separated by spaces, that a manifest may ask for */
  uint64_t max_waiting;    /* requests that wait for one bundle, further ones fail with BUSY; 0: 1,024 */
} corbel_bundle_runner_options;

/* The loader may be freed before. */
CORBEL_API corbel_status corbel_bundle_runner_open(corbel_bundles *l, const corbel_bundle_runner_options *o,
                                                   corbel_bundle_runner **out, corbel_error **err);
/* Gives a request to the handler of a bundle. kind: "turn" or "operation"; task: JSON. The call needs a queue. What the
 * handler tells on the way comes as CORBEL_EVENT_BUNDLE_SAID (ticket 0, the call's user, a corbel_text: JSON); then comes
 * one CORBEL_EVENT_BUNDLE_ANSWER with the ticket, whose corbel_text is {"commit": "<of the handler>", "result": <any JSON>}.
 *
 * A timeout of 0 is the manifest's limit for a turn, which counts in any case once a handler has the request. Native codes
 * of failures: "START": no handler starts; "DIED", "LINE", "OUTPUT", "TURN": it died, said nonsense, said too much, took too
 * long, each maybe applied; with INTERNAL the class that the handler gave for what it failed with itself. */
CORBEL_API corbel_status corbel_bundle_run(corbel_bundle_runner *r, const char *bundle, const char *kind, const char *task,
                                           size_t size, const corbel_call *c, corbel_ticket *t);
/* Bundles that were run so far: {"handlers": {"<id>": {"commit", "handlers", "in_hand", "waiting", "answered", "failed",
 * "starts", "deaths", "error"}}}. */
CORBEL_API corbel_status corbel_bundle_runner_json(corbel_bundle_runner *r, corbel_text **out, corbel_error **err);
/* Ends handlers and what is under way, with CORBEL_CLOSED. */
CORBEL_API void corbel_bundle_runner_free(corbel_bundle_runner *r);

#ifdef __cplusplus
}
#endif
#endif
