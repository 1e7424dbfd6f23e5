/* Lesson: run what a bundle holds. Its handler is a program in any language that takes requests and answers in lines of
 * JSON; bundle.yaml in the bundle's folder says how it is started. After a push new requests go to the new commit's handler,
 * without a failure in between.
 *
 *     BUNDLE_URL=/srv/git/app.git BUNDLE_ROOT=/tmp/bundles build/dev/examples/lessons/lesson_c_run_bundle */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

/* Waits for the next event; one that tells of a failure ends the program. */
static void take(corbel_events *q, corbel_event *ev) {
  while (corbel_events_take(q, ev, 1, sizeof *ev, -1) == 0) continue;
  if (ev->status != CORBEL_OK) die("event", ev->error);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("lesson: run_bundle\n");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "run_bundle"};
  corbel_bundles_options lo = {.struct_size = sizeof lo, .root = getenv("BUNDLE_ROOT")};
  corbel_bundle_runner_options uo = {.struct_size = sizeof uo};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_bundles *loader = NULL;
  corbel_bundle_runner *runner = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_bundles_open(rt, &lo, &loader, &e)) die("loader", e);
  if (corbel_bundle_runner_open(loader, &uo, &runner, &e)) die("runner", e);
  corbel_bundle_source s = {
      .struct_size = sizeof s, .id = "app", .url = getenv("BUNDLE_URL"), .ref = "main", .follow_ms = 200};
  corbel_call c = {.struct_size = sizeof c, .to = q, .err = &e};
  corbel_event ev = {0};
  if (corbel_bundles_load(loader, &s, &c, NULL)) die("load", e);
  take(q, &ev);
  corbel_event_clear(&ev, sizeof ev);

  const char *task = "{\"name\": \"Ada\"}";
  for (int answers = 0, switched = 0; !switched;) {
    if (corbel_bundle_run(runner, "app", "turn", task, strlen(task), &c, NULL)) die("run", e);
    int ended = 0;
    while (!ended) {
      corbel_bytes text;
      take(q, &ev);
      ended = ev.kind == CORBEL_EVENT_BUNDLE_ANSWER;
      corbel_text_bytes(ev.object, &text);
      if (ended) switched = strstr(text.data, "hello 2") != NULL;
      if (ended && (answers == 0 || switched)) printf("answer: %s\n", (const char *)text.data);
      if (!ended && answers == 0) printf("on the way: %s\n", (const char *)text.data);
      corbel_event_clear(&ev, sizeof ev);
    }
    if (answers++ == 0) printf("now please push a commit\n");
  }

  corbel_bundle_runner_free(runner);
  corbel_bundles_free(loader);
  if (corbel_runtime_shutdown(rt, 5000, &e)) die("shutdown", e);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
