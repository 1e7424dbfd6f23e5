/* Lesson: a bundle, code in a git repository at a ref, is brought into a folder of its own, whole and read-only, and pinned:
 * the folder stays as it is until the pin is freed.
 *
 *     BUNDLE_URL=/srv/git/app.git BUNDLE_ROOT=/tmp/bundles build/dev/examples/lessons/lesson_c_load_bundle */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

/* The bundle of this lesson is one file of text. */
static void show(const corbel_bundle *b) {
  char path[4096], line[100] = "";
  snprintf(path, sizeof path, "%s/hello.txt", corbel_bundle_path(b));
  FILE *file = fopen(path, "r");
  if (!file || !fgets(line, sizeof line, file)) die(path, NULL);
  fclose(file);
  printf("%s at %.8s says: %s\n", corbel_bundle_id(b), corbel_bundle_commit(b), line);
}

int main(void) {
  printf("lesson: load_bundle\n");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "load_bundle"};
  corbel_bundles_options lo = {.struct_size = sizeof lo, .root = getenv("BUNDLE_ROOT")};
  corbel_runtime *rt = NULL;
  corbel_events *q = NULL;
  corbel_bundles *loader = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  if (corbel_bundles_open(rt, &lo, &loader, &e)) die("loader", e);

  /* A private repository: .secret is a token for https, .ssh_key a file for ssh. Neither reaches a log or an argument. */
  corbel_bundle_source s = {.struct_size = sizeof s, .id = "app", .url = getenv("BUNDLE_URL"), .ref = "main"};
  corbel_call c = {.struct_size = sizeof c, .timeout_ms = 30000, .to = q, .err = &e};
  if (corbel_bundles_load(loader, &s, &c, NULL)) die("load", e);
  corbel_event ev = {0};
  while (corbel_events_take(q, &ev, 1, sizeof ev, -1) == 0) continue;
  if (ev.status != CORBEL_OK) die("load", ev.error);
  show(ev.object);
  corbel_event_clear(&ev, sizeof ev); /* unpins */

  corbel_bundles_free(loader);
  if (corbel_runtime_shutdown(rt, 5000, &e)) die("shutdown", e);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
