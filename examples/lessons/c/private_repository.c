/* Lesson: a private repository. The token comes from the environment, GIT_HTTP_TOKEN; it goes to the server over https, and
 * nowhere else: not to a log, an error, a file, or the arguments of the program that fetches.
 *
 *     BUNDLE_PRIVATE_URL=https://git.example/team/app.git BUNDLE_ROOT=/tmp/bundles GIT_HTTP_TOKEN=... \
 *         build/dev/examples/lessons/lesson_c_private_repository */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>

static corbel_events *q;

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

static corbel_bundles *open_loader(corbel_runtime *rt, const corbel_bundle_access *access) {
  corbel_bundles_options o = {.struct_size = sizeof o, .root = getenv("BUNDLE_ROOT"), .access = access};
  corbel_bundles *loader = NULL;
  corbel_error *e = NULL;
  if (corbel_bundles_open(rt, &o, &loader, &e)) die("loader", e);
  return loader;
}

/* The event of one load; the caller clears it. */
static corbel_event load(corbel_bundles *loader) {
  corbel_bundle_source s = {.struct_size = sizeof s, .id = "app", .url = getenv("BUNDLE_PRIVATE_URL"), .ref = "main"};
  corbel_error *e = NULL;
  corbel_call c = {.struct_size = sizeof c, .to = q, .err = &e};
  corbel_event ev = {0};
  s.ca_file = getenv("GIT_SSL_CAINFO"); /* an authority of one's own; mostly none is needed */
  if (corbel_bundles_load(loader, &s, &c, NULL)) die("load", e);
  while (corbel_events_take(q, &ev, 1, sizeof ev, -1) == 0) continue;
  return ev;
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("lesson: private_repository\n");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "private_repository"};
  corbel_runtime *rt = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);

  corbel_bundles *stranger = open_loader(rt, NULL);
  corbel_event ev = load(stranger);
  printf("without a token: %s\n", ev.status == CORBEL_OK ? "let in" : corbel_error_native(ev.error));
  corbel_event_clear(&ev, sizeof ev);
  corbel_bundles_free(stranger);

  corbel_bundle_access access = {.struct_size = sizeof access, .flags = CORBEL_ACCESS_ENVIRONMENT};
  corbel_bundles *loader = open_loader(rt, &access);
  ev = load(loader);
  if (ev.status != CORBEL_OK) die("load", ev.error);
  char path[4096], line[100] = "";
  snprintf(path, sizeof path, "%s/hello.txt", corbel_bundle_path(ev.object));
  FILE *file = fopen(path, "r");
  if (!file || !fgets(line, sizeof line, file)) die(path, NULL);
  fclose(file);
  printf("with the token it says: %s\n", line);
  corbel_event_clear(&ev, sizeof ev); /* unpins it too */

  corbel_bundles_free(loader);
  if (corbel_runtime_shutdown(rt, 5000, &e)) die("shutdown", e);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
