/* Lesson: what runs keeps running. Work that has a commit pinned sees it unchanged to its end, while new work already gets
 * the next one. The old folder goes when nobody has it pinned any more.
 *
 *     BUNDLE_URL=/srv/git/app.git BUNDLE_ROOT=/tmp/bundles build/dev/examples/lessons/lesson_c_pin_and_switch */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

static void show(const char *who, const corbel_bundle *b) {
  char path[4096], line[100] = "";
  snprintf(path, sizeof path, "%s/hello.txt", corbel_bundle_path(b));
  FILE *file = fopen(path, "r");
  if (!file || !fgets(line, sizeof line, file)) die(path, NULL);
  fclose(file);
  printf("%s sees: %s\n", who, line);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("lesson: pin_and_switch\n");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "pin_and_switch"};
  corbel_bundles_options lo = {.struct_size = sizeof lo, .root = getenv("BUNDLE_ROOT")};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_bundles *loader = NULL;
  corbel_bundle *old = NULL, *fresh = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_bundles_open(rt, &lo, &loader, &e)) die("loader", e);
  corbel_bundle_source s = {.struct_size = sizeof s, .id = "app", .url = getenv("BUNDLE_URL"), .ref = "main"};
  corbel_call c = {.struct_size = sizeof c, .to = q, .err = &e};
  corbel_event ev = {0};

  if (corbel_bundles_load(loader, &s, &c, NULL)) die("load", e);
  while (corbel_events_take(q, &ev, 1, sizeof ev, -1) == 0) continue;
  if (ev.status != CORBEL_OK) die("load", ev.error);
  old = ev.object; /* running work: its pin */
  show("running work", old);

  printf("now please push a commit\n");
  for (int switched = 0; !switched;) { /* a real host follows the branch, or is told by a webhook */
    if (corbel_bundles_load(loader, &s, &c, NULL)) die("load", e);
    while (corbel_events_take(q, &ev, 1, sizeof ev, -1) == 0) continue;
    if (ev.status != CORBEL_OK) die("load", ev.error);
    switched = strcmp(corbel_bundle_commit(ev.object), corbel_bundle_commit(old)) != 0;
    corbel_event_clear(&ev, sizeof ev);
  }
  if (corbel_bundles_pin(loader, "app", &fresh, &e)) die("pin", e); /* what is current; never waits for git */
  show("running work still", old);
  show("new work", fresh);
  corbel_bundle_free(old);
  corbel_bundle_free(fresh);

  corbel_bundles_free(loader);
  if (corbel_runtime_shutdown(rt, 5000, &e)) die("shutdown", e);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
