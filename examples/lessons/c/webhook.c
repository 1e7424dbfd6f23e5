/* Lesson: a webhook. Your HTTP server hands over what came; who cannot prove to know the secret is turned away, and else the
 * loader looks at once. Here the deliveries come on standard input: a line "X-Hub-Signature-256: ...", and a line with the
 * body.
 *
 *     BUNDLE_URL=/srv/git/app.git BUNDLE_ROOT=/tmp/bundles WEBHOOK_SECRET=... build/dev/examples/lessons/lesson_c_webhook */
#include <corbel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static corbel_events *q;

static void die(const char *what, corbel_error *e) {
  fprintf(stderr, "%s: %s: %s\n", what, corbel_status_name(corbel_error_status(e)), corbel_error_message(e));
  exit(1);
}

static void await_switch(corbel_bundles *loader) {
  corbel_event ev = {0};
  for (int switched = 0; !switched;) {
    if (corbel_events_take(q, &ev, 1, sizeof ev, -1) == 0) continue;
    if (ev.kind == CORBEL_EVENT_BUNDLE && ev.status != CORBEL_OK) die("load", ev.error);
    switched = ev.kind == CORBEL_EVENT_BUNDLE_NOTICE && ev.value == CORBEL_BUNDLE_SWITCHED;
    corbel_event_clear(&ev, sizeof ev);
  }
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

/* What your HTTP server does with POST /webhooks/app: 1 for 202, 0 for 401. */
static int deliver(corbel_bundles *loader, const char *signature, const char *body) {
  corbel_webhook w = {.struct_size = sizeof w};
  corbel_text *said = NULL;
  corbel_error *e = NULL;
  corbel_bytes text;
  w.signature.data = signature;
  w.signature.size = strlen(signature);
  w.body.data = body;
  w.body.size = strlen(body);
  if (corbel_webhook_verify(getenv("WEBHOOK_SECRET"), &w, &said, &e)) {
    printf("refused: %s\n", corbel_error_message(e));
    corbel_error_free(e);
    return 0;
  }
  corbel_text_bytes(said, &text);
  printf("verified: %.*s\n", (int)text.size, (const char *)text.data);
  corbel_text_free(said);
  if (corbel_bundles_look(loader, "app", &e)) die("look", e);
  return 1;
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("lesson: webhook\n");
  corbel_runtime_options ro = {.struct_size = sizeof ro, .name = "webhook"};
  corbel_runtime *rt = NULL;
  corbel_bundles *loader = NULL;
  corbel_error *e = NULL;
  if (corbel_runtime_open(&ro, &rt, &e) || corbel_events_open(rt, 0, &q, &e)) die("runtime", e);
  corbel_bundles_options lo = {.struct_size = sizeof lo, .root = getenv("BUNDLE_ROOT"), .to = q};
  if (corbel_bundles_open(rt, &lo, &loader, &e)) die("loader", e);
  corbel_bundle_source s = {.struct_size = sizeof s, .id = "app", .url = getenv("BUNDLE_URL"), .ref = "main"};
  corbel_call c = {.struct_size = sizeof c, .to = q, .err = &e};
  if (corbel_bundles_load(loader, &s, &c, NULL)) die("load", e);
  await_switch(loader);

  printf("now please push a commit and deliver it\n");
  char header[300], body[4096];
  const char *name = "X-Hub-Signature-256: ";
  int looking = 0;
  while (!looking && fgets(header, sizeof header, stdin) && fgets(body, sizeof body, stdin)) {
    header[strcspn(header, "\n")] = body[strcspn(body, "\n")] = 0;
    looking = deliver(loader, strncmp(header, name, strlen(name)) == 0 ? header + strlen(name) : "", body);
  }
  if (looking) await_switch(loader);

  corbel_bundles_free(loader);
  if (corbel_runtime_shutdown(rt, 5000, &e)) die("shutdown", e);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  return 0;
}
