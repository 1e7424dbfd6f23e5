/* Running bundles through the C API: events and the answer, failures, cancelling, misuse, what is under way at the end. */
#include "world.h"

static corbel_runtime *rt;
static corbel_events *q;
static corbel_bundles *l;
static char folder[] = "/tmp/corbel-test-XXXXXX";

static void shell(const char *command) {
  char line[2500];
  snprintf(line, sizeof line,
           "cd %s && export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@e GIT_COMMITTER_NAME=t "
           "GIT_COMMITTER_EMAIL=t@e && { %s ; } >/dev/null 2>&1",
           folder, command);
  REQUIRE(system(line) == 0);
}

static const char *path_of(const char *name) {
  static char out[2][300];
  static int next;
  snprintf(out[next %= 2], sizeof out[0], "%s/%s", folder, name);
  return out[next++];
}

/* A handler in the shell: it tells one event and answers with what it was sent; "die" ends it, "wait" is never answered. */
static void make_bundle(void) {
  REQUIRE(mkdtemp(folder) != NULL);
  shell("chmod 755 . && git init -q --bare -b main app.git && git init -q -b main tree");
  FILE *file = fopen(path_of("tree/main.sh"), "w");
  REQUIRE(file != NULL);
  fputs(
      "echo '{\"ready\": true}'\n"
      "while read -r line; do\n"
      "  case \"$line\" in *die*) exit 3;; *wait*|*cancel*) continue;; esac\n"
      "  id=${line#'{\"id\": '}; id=${id%%,*}; rest=${line#*, }\n"
      "  echo \"{\\\"id\\\": $id, \\\"event\\\": \\\"on the way\\\"}\"\n"
      "  echo \"{\\\"id\\\": $id, \\\"result\\\": {$rest}\"\n"
      "done\n",
      file);
  fclose(file);
  file = fopen(path_of("tree/bundle.yaml"), "w");
  REQUIRE(file != NULL);
  fputs("command: [/bin/sh, main.sh]\nconcurrency: 9\nlimits: {start: 60}\n", file);
  fclose(file);
  shell("git -C tree add -A && git -C tree commit -q -m x && git -C tree push -q ../app.git HEAD:refs/heads/main");
}

static corbel_bundle_runner *open_runner(void) {
  corbel_bundle_runner_options o = {.struct_size = sizeof o, .environment = "HOME LANG"};
  corbel_bundle_runner *r = NULL;
  corbel_error *e = NULL;
  corbel_status s = corbel_bundle_runner_open(l, &o, &r, &e);
  tell(e);
  REQUIRE(s == CORBEL_OK);
  return r;
}

static corbel_ticket start(corbel_bundle_runner *r, const char *task) {
  corbel_call c = call_to(q, 7);
  corbel_ticket t = 0;
  REQUIRE(corbel_bundle_run(r, "app", "turn", task, strlen(task), &c, &t) == CORBEL_OK);
  CHECK(t != 0);
  return t;
}

static int holds(const corbel_event *ev, const char *text) {
  corbel_bytes view;
  if (!ev->object || corbel_text_bytes(ev->object, &view) != CORBEL_OK) return 0;
  return strstr(view.data, text) != NULL;
}

static void events_then_the_answer(void) {
  corbel_bundle_runner *r = open_runner();
  corbel_ticket t = start(r, "{\"text\": [1, \"a\"]}");
  corbel_event ev = await_event(q, CORBEL_EVENT_BUNDLE_SAID);
  CHECK_EQ(ev.ticket, 0);
  CHECK_EQ(ev.user, 7);
  CHECK(holds(&ev, "\"on the way\""));
  corbel_event_clear(&ev, sizeof ev);
  ev = await_event(q, CORBEL_EVENT_BUNDLE_ANSWER);
  CHECK_EQ(ev.status, CORBEL_OK);
  CHECK_EQ(ev.ticket, t);
  CHECK_EQ(ev.user, 7);
  CHECK_EQ(ev.source, CORBEL_SOURCE_BUNDLE);
  CHECK(holds(&ev, "\"commit\": \""));
  CHECK(holds(&ev, "\"result\": {\"kind\": \"turn\", \"task\": {\"text\": [1, \"a\"]}}"));
  corbel_event_clear(&ev, sizeof ev);

  corbel_text *text = NULL;
  corbel_bytes view;
  REQUIRE(corbel_bundle_runner_json(r, &text, NULL) == CORBEL_OK);
  corbel_text_bytes(text, &view);
  CHECK(strstr(view.data, "\"answered\": 1") != NULL);
  corbel_text_free(text);
  corbel_bundle_runner_free(r);
}

static void ends_with(corbel_ticket t, corbel_status status, const char *native) {
  corbel_event ev = await_event(q, CORBEL_EVENT_BUNDLE_ANSWER);
  CHECK_EQ(ev.ticket, t);
  CHECK_EQ(ev.status, status);
  CHECK(ev.object == NULL);
  if (native) CHECK(strcmp(corbel_error_native(ev.error), native) == 0);
  corbel_event_clear(&ev, sizeof ev);
}

static void failures(void) {
  corbel_bundle_runner *r = open_runner();
  ends_with(start(r, "\"die\""), CORBEL_LOST, "DIED");
  ends_with(start(r, "{"), CORBEL_INVALID, "REQUEST");
  corbel_ticket t = start(r, "\"wait\"");
  corbel_cancel(rt, t);
  ends_with(t, CORBEL_CANCELLED, NULL);
  t = start(r, "\"wait\"");
  corbel_bundle_runner_free(r);
  ends_with(t, CORBEL_CLOSED, NULL);
}

static void misuse(void) {
  corbel_bundle_runner *r = NULL;
  corbel_error *e = NULL;
  corbel_bundle_runner_options o = {.struct_size = sizeof o};
  CHECK_EQ(corbel_bundle_runner_open(NULL, &o, &r, &e), CORBEL_INVALID);
  corbel_error_free(e);
  CHECK_EQ(corbel_bundle_runner_open(l, NULL, &r, &e), CORBEL_INVALID);
  corbel_error_free(e);
  o.program = "/nowhere/corbel-run";
  CHECK_EQ(corbel_bundle_runner_open(l, &o, &r, &e), CORBEL_UNAVAILABLE);
  CHECK(strstr(corbel_error_message(e), "/nowhere/corbel-run") != NULL);
  corbel_error_free(e);
  r = open_runner();
  corbel_call c = call_to(q, 0);
  CHECK_EQ(corbel_bundle_run(r, NULL, "turn", "{}", 2, &c, NULL), CORBEL_INVALID);
  c.to = NULL;
  CHECK_EQ(corbel_bundle_run(r, "app", "turn", "{}", 2, &c, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_bundle_runner_json(r, NULL, NULL), CORBEL_INVALID);
  corbel_bundle_runner_free(r);
  corbel_bundle_runner_free(NULL);
}

int main(void) {
  make_bundle();
  rt = open_runtime();
  q = open_events(rt);
  corbel_bundles_options o = {.struct_size = sizeof o, .root = path_of("root")};
  REQUIRE(corbel_bundles_open(rt, &o, &l, NULL) == CORBEL_OK);
  corbel_bundle_source s = {.struct_size = sizeof s, .id = "app", .url = path_of("app.git"), .ref = "main"};
  corbel_call c = call_to(q, 0);
  REQUIRE(corbel_bundles_load(l, &s, &c, NULL) == CORBEL_OK);
  corbel_event ev = await_event(q, CORBEL_EVENT_BUNDLE);
  if (ev.status != CORBEL_OK) tell(ev.error);
  REQUIRE(ev.status == CORBEL_OK);
  corbel_event_clear(&ev, sizeof ev);
  RUN(events_then_the_answer);
  RUN(failures);
  RUN(misuse);
  corbel_bundles_free(l);
  REQUIRE(corbel_runtime_shutdown(rt, 20000, NULL) == CORBEL_OK);
  corbel_events_free(q);
  corbel_runtime_free(rt);
  shell("chmod -R u+w . && rm -rf ./*");
  REQUIRE(rmdir(folder) == 0);
  return check_report();
}
