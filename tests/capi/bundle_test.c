/* Bundles through the C API: load, notices, pin, forget, prune, misuse, the registry's document. */
#include "world.h"

#include <sys/stat.h>

static corbel_runtime *rt;
static corbel_events *q;
static char folder[] = "/tmp/corbel-test-XXXXXX";

static void shell(const char *command) {
  char line[2000];
  snprintf(line, sizeof line,
           "cd %s && export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@e GIT_COMMITTER_NAME=t "
           "GIT_COMMITTER_EMAIL=t@e && { %s ; } >/dev/null 2>&1",
           folder, command);
  REQUIRE(system(line) == 0);
}

static void push(const char *text) {
  char line[500];
  snprintf(line, sizeof line,
           "mkdir -p tree/app && printf %s > tree/app/hello && git -C tree add -A && git -C tree commit -q -m x && "
           "git -C tree push -q ../app.git HEAD:refs/heads/main",
           text);
  shell(line);
}

static const char *path_of(const char *name) {
  static char out[4][300];
  static int next;
  snprintf(out[next %= 4], sizeof out[0], "%s/%s", folder, name);
  return out[next++];
}

static int says(const corbel_bundle *b, const char *expected) {
  char path[600], line[100] = "";
  snprintf(path, sizeof path, "%s/hello", corbel_bundle_path(b));
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  size_t n = fread(line, 1, sizeof line - 1, file);
  fclose(file);
  line[n] = 0;
  return strcmp(line, expected) == 0;
}

static corbel_bundle *load(corbel_bundles *l) {
  corbel_bundle_source s = {.struct_size = sizeof s, .id = "app", .url = path_of("app.git"), .ref = "main", .subdir = "app"};
  corbel_call c = call_to(q, 7);
  corbel_ticket t = 0;
  REQUIRE(corbel_bundles_load(l, &s, &c, &t) == CORBEL_OK);
  CHECK(t != 0);
  corbel_event ev = await_event(q, CORBEL_EVENT_BUNDLE);
  if (ev.status != CORBEL_OK) tell(ev.error);
  REQUIRE(ev.status == CORBEL_OK && ev.object != NULL);
  CHECK_EQ(ev.user, 7);
  CHECK_EQ(ev.ticket, t);
  CHECK_EQ(ev.source, CORBEL_SOURCE_BUNDLE);
  return ev.object;
}

static void load_pin_and_switch(void) {
  corbel_bundles_options o = {.struct_size = sizeof o, .root = path_of("root"), .to = q, .user = 9};
  corbel_bundles *l = NULL;
  corbel_error *e = NULL;
  corbel_status s = corbel_bundles_open(rt, &o, &l, &e);
  tell(e);
  REQUIRE(s == CORBEL_OK);
  corbel_bundle *old = load(l), *now = NULL;
  CHECK(says(old, "one"));
  CHECK(strcmp(corbel_bundle_id(old), "app") == 0);
  CHECK_EQ(strlen(corbel_bundle_commit(old)), 40);
  CHECK(strstr(corbel_bundle_path(old), corbel_bundle_folder(old)) != NULL);
  push("two");
  corbel_bundle *fresh = load(l);
  CHECK(says(fresh, "two"));
  CHECK(says(old, "one"));
  REQUIRE(corbel_bundles_pin(l, "app", &now, NULL) == CORBEL_OK);
  CHECK(strcmp(corbel_bundle_commit(now), corbel_bundle_commit(fresh)) == 0);
  corbel_bundle_free(now);
  corbel_bundle_free(old);

  corbel_text *text = NULL;
  corbel_bytes view;
  REQUIRE(corbel_bundles_json(l, &text, NULL) == CORBEL_OK);
  corbel_text_bytes(text, &view);
  CHECK(strstr(view.data, "\"state\": \"ready\"") != NULL);
  corbel_text_free(text);

  corbel_call c = call_to(q, 0);
  REQUIRE(corbel_bundles_prune(l, &c, NULL) == CORBEL_OK);
  corbel_event ev = await_event(q, CORBEL_EVENT_DONE);
  CHECK_EQ(ev.status, CORBEL_OK);
  corbel_event_clear(&ev, sizeof ev);
  REQUIRE(corbel_bundles_forget(l, "app", &c, NULL) == CORBEL_OK);
  ev = await_event(q, CORBEL_EVENT_DONE);
  CHECK_EQ(ev.status, CORBEL_OK);
  corbel_event_clear(&ev, sizeof ev);
  CHECK_EQ(corbel_bundles_pin(l, "app", &now, &e), CORBEL_INVALID);
  corbel_error_free(e);
  corbel_bundles_free(l);
  CHECK(says(fresh, "two")); /* a pin outlives its loader */
  corbel_bundle_free(fresh);
}

static void notices_tell_what_happens(void) {
  corbel_bundles_options o = {.struct_size = sizeof o, .root = path_of("other"), .to = q, .user = 9};
  corbel_bundles *l = NULL;
  REQUIRE(corbel_bundles_open(rt, &o, &l, NULL) == CORBEL_OK);
  corbel_bundle_source s = {.struct_size = sizeof s, .id = "app", .url = path_of("app.git"), .ref = "main", .follow_ms = 50};
  corbel_call c = {.struct_size = sizeof c};
  c.to = q;
  REQUIRE(corbel_bundles_load(l, &s, &c, NULL) == CORBEL_OK);
  for (int64_t expected = CORBEL_BUNDLE_FETCHED; expected <= CORBEL_BUNDLE_SWITCHED; expected++) {
    corbel_event ev = await_event(q, CORBEL_EVENT_BUNDLE_NOTICE);
    CHECK_EQ(ev.value, expected);
    CHECK_EQ(ev.user, 9);
    corbel_bytes view;
    corbel_text_bytes(ev.object, &view);
    CHECK(strstr(view.data, "\"id\": \"app\"") != NULL);
    corbel_event_clear(&ev, sizeof ev);
  }
  push("three");
  corbel_event ev;
  do {
    ev = await_event(q, CORBEL_EVENT_BUNDLE_NOTICE);
    corbel_event_clear(&ev, sizeof ev);
  } while (ev.kind != 0 && ev.value != CORBEL_BUNDLE_SWITCHED);
  CHECK_EQ(ev.value, CORBEL_BUNDLE_SWITCHED);
  corbel_bundle *now = NULL;
  REQUIRE(corbel_bundles_pin(l, "app", &now, NULL) == CORBEL_OK);
  corbel_bundle_free(now);
  corbel_bundles_free(l);
}

static void misuse(void) {
  corbel_bundles_options o = {.struct_size = sizeof o};
  corbel_bundles *l = NULL;
  corbel_error *e = NULL;
  CHECK_EQ(corbel_bundles_open(rt, &o, &l, &e), CORBEL_INVALID);
  corbel_error_free(e);
  o.root = "relative";
  CHECK_EQ(corbel_bundles_open(rt, &o, &l, NULL), CORBEL_INVALID);
  o.root = path_of("root");
  o.program = "/no/such/program";
  CHECK_EQ(corbel_bundles_open(rt, &o, &l, &e), CORBEL_UNAVAILABLE);
  CHECK(strstr(corbel_error_message(e), "/no/such/program") != NULL);
  corbel_error_free(e);
  o.program = NULL;
  o.flags = 0x80;
  CHECK_EQ(corbel_bundles_open(rt, &o, &l, NULL), CORBEL_INVALID);
  o.flags = 0;
  corbel_bundle_lock lock = {.struct_size = sizeof lock};
  o.lock = &lock;
  CHECK_EQ(corbel_bundles_open(rt, &o, &l, NULL), CORBEL_INVALID); /* without Redis */
  o.lock = NULL;
  CHECK_EQ(corbel_bundles_open(NULL, &o, &l, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_bundles_open(rt, &o, NULL, NULL), CORBEL_INVALID);
  REQUIRE(corbel_bundles_open(rt, &o, &l, NULL) == CORBEL_OK);
  corbel_bundle_source s = {.struct_size = sizeof s, .id = "app"};
  corbel_call c = call_to(q, 0);
  CHECK_EQ(corbel_bundles_load(l, &s, &c, NULL), CORBEL_INVALID);
  s.url = "--upload-pack=x";
  CHECK_EQ(corbel_bundles_load(l, &s, NULL, NULL), CORBEL_INVALID); /* nobody would own the bundle */
  CHECK_EQ(corbel_bundles_load(NULL, &s, &c, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_bundles_load(l, NULL, &c, NULL), CORBEL_INVALID);
  REQUIRE(corbel_bundles_load(l, &s, &c, NULL) == CORBEL_OK);
  corbel_event ev = await_event(q, CORBEL_EVENT_BUNDLE);
  CHECK_EQ(ev.status, CORBEL_INVALID);
  CHECK(ev.object == NULL);
  CHECK(strcmp(corbel_error_native(ev.error), "URL") == 0);
  corbel_event_clear(&ev, sizeof ev);
  CHECK_EQ(corbel_bundles_pin(NULL, "app", NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_bundles_forget(l, NULL, &c, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_bundles_prune(NULL, &c, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_bundles_json(l, NULL, NULL), CORBEL_INVALID);
  CHECK(strcmp(corbel_bundle_path(NULL), "") == 0);
  corbel_bundle_free(NULL);
  corbel_bundles_free(NULL);
  corbel_bundles_free(l);
}

static void a_document(void) {
  const char *yaml = "items:\n- {id: a, repo: https://h.example/a.git}\n- {id: b, repo: -x}\n";
  corbel_text *text = NULL;
  corbel_bytes view;
  REQUIRE(corbel_bundle_registry_read(yaml, strlen(yaml), &text, NULL) == CORBEL_OK);
  corbel_text_bytes(text, &view);
  CHECK(strstr(view.data, "\"default_id\": \"a\"") != NULL);
  CHECK(strstr(view.data, "\"path\": \"items[1].repo\"") != NULL);
  corbel_text_free(text);
  CHECK_EQ(corbel_bundle_registry_read(NULL, 1, &text, NULL), CORBEL_INVALID);
}

int main(void) {
  REQUIRE(mkdtemp(folder) != NULL);
  shell("git init -q --bare -b main app.git && git init -q -b main tree");
  push("one");
  rt = open_runtime();
  q = open_events(rt);
  RUN(load_pin_and_switch);
  RUN(notices_tell_what_happens);
  RUN(misuse);
  RUN(a_document);
  REQUIRE(corbel_has_feature("git"));
  REQUIRE(corbel_runtime_shutdown(rt, 20000, NULL) == CORBEL_OK);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  shell("chmod -R u+w . && rm -rf ./*");
  REQUIRE(rmdir(folder) == 0);
  return check_report();
}
