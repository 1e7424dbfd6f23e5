/* Lesson: a branch is followed. A push is noticed by itself, the new commit is brought, and what is current is switched to
 * it at once; the loader tells what happened.
 *
 *     BUNDLE_URL=/srv/git/app.git BUNDLE_ROOT=/tmp/bundles build/dev/examples/lessons/lesson_c_follow_branch */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>

static corbel_events *q;

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

/* The next switch that the loader tells of. */
static void await_switch(void) {
  corbel_event ev = {0};
  for (int switched = 0; !switched;) {
    if (corbel_events_take(q, &ev, 1, sizeof ev, -1) == 0) continue;
    if (ev.kind == CORBEL_EVENT_BUNDLE && ev.status != CORBEL_OK) die("load", ev.error);
    if (ev.kind == CORBEL_EVENT_BUNDLE_NOTICE) {
      corbel_bytes text; /* JSON: the commit, the one before, how long it took */
      corbel_text_bytes(ev.object, &text);
      switched = ev.value == CORBEL_BUNDLE_SWITCHED;
      printf("%.*s\n", (int)text.size, (const char *)text.data);
    }
    corbel_event_clear(&ev, sizeof ev);
  }
}

static void show(corbel_bundles *loader) {
  corbel_bundle *b = NULL;
  corbel_error *e = NULL;
  char path[4096], line[100] = "";
  if (corbel_bundles_pin(loader, "app", &b, &e)) die("pin", e);
  snprintf(path, sizeof path, "%s/hello.txt", corbel_bundle_path(b));
  FILE *file = fopen(path, "r");
  if (!file || !fgets(line, sizeof line, file)) die(path, NULL);
  fclose(file);
  printf("current says: %s\n", line);
  corbel_bundle_free(b);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("lesson: follow_branch\n");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "follow_branch"};
  corbel_runtime *rt = NULL;
  corbel_bundles *loader = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  corbel_bundles_options lo = {.struct_size = sizeof lo, .root = getenv("BUNDLE_ROOT"), .to = q};
  if (corbel_bundles_open(rt, &lo, &loader, &e)) die("loader", e);

  corbel_bundle_source s = {
      .struct_size = sizeof s, .id = "app", .url = getenv("BUNDLE_URL"), .ref = "main", .follow_ms = 100};
  corbel_call c = {.struct_size = sizeof c, .to = q, .err = &e};
  if (corbel_bundles_load(loader, &s, &c, NULL)) die("load", e);
  await_switch();
  show(loader);
  printf("now please push a commit\n");
  await_switch();
  show(loader);

  corbel_bundles_free(loader);
  if (corbel_runtime_shutdown(rt, 5000, &e)) die("shutdown", e);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
