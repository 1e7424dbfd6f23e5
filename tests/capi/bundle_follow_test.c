/* The followed registry through the C API: a real Redis, a file, readiness, misuse; and deliveries of webhooks. */
#include "server.h"
#include "world.h"

static corbel_runtime *rt;
static corbel_events *q, *notices;
static struct server server;
static char folder[] = "/tmp/corbel-test-XXXXXX";
static char line[2000];

static void shell(const char *command) {
  snprintf(line, sizeof line,
           "cd %s && export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@e GIT_COMMITTER_NAME=t "
           "GIT_COMMITTER_EMAIL=t@e && { %s ; } >/dev/null 2>&1",
           folder, command);
  REQUIRE(system(line) == 0);
}

static const char *path_of(const char *name) {
  static char out[2][300];
  static int next;
  snprintf(out[next ^= 1], sizeof out[0], "%s/%s", folder, name);
  return out[next];
}

static corbel_redis *lock_with;

static corbel_bundles *open_loader(const char *root) {
  corbel_bundle_lock lock = {.struct_size = sizeof lock, .redis = lock_with, .tenant = "t", .project = "p"};
  corbel_bundles_options o = {.struct_size = sizeof o, .root = path_of(root), .to = notices};
  corbel_bundle_access a = {.struct_size = sizeof a, .flags = CORBEL_ACCESS_ENVIRONMENT, .secret = "geheim"};
  o.access = &a;
  if (lock_with) o.lock = &lock;
  if (lock_with) o.flags = CORBEL_BUNDLES_PLATFORM;
  corbel_bundles *l = NULL;
  corbel_error *e = NULL;
  corbel_status s = corbel_bundles_open(rt, &o, &l, &e);
  tell(e);
  REQUIRE(s == CORBEL_OK);
  return l;
}

static void ready(corbel_bundles *l, int64_t failed) {
  corbel_call c = call_to(q, 0);
  REQUIRE(corbel_bundles_ready(l, &c, NULL) == CORBEL_OK);
  corbel_event ev = await_event(q, CORBEL_EVENT_DONE);
  if (ev.status != CORBEL_OK) tell(ev.error);
  CHECK_EQ(ev.status, CORBEL_OK);
  CHECK_EQ(ev.value, failed);
  corbel_event_clear(&ev, sizeof ev);
}

static int knows(corbel_bundles *l, const char *id) {
  corbel_bundle *b = NULL;
  const corbel_status s = corbel_bundles_pin(l, id, &b, NULL);
  corbel_bundle_free(b);
  return s == CORBEL_OK;
}

static void await_notice(int64_t what) {
  int64_t got;
  do {
    corbel_event ev = await_event(notices, CORBEL_EVENT_BUNDLE_NOTICE);
    got = ev.kind == 0 ? what : ev.value;
    CHECK(ev.kind != 0);
    corbel_event_clear(&ev, sizeof ev);
  } while (got != what);
}

static void send_command(corbel_redis *r, const char *name, const char *key, const char *value) {
  corbel_bytes args[] = {{name, strlen(name)}, {key, strlen(key)}, {value, strlen(value)}};
  corbel_call c = call_to(q, 0);
  REQUIRE(corbel_redis_send(r, args, 3, &c, NULL) == CORBEL_OK);
  corbel_event ev = await_event(q, CORBEL_EVENT_REPLY);
  CHECK_EQ(ev.status, CORBEL_OK);
  corbel_event_clear(&ev, sizeof ev);
}

static void a_registry_in_redis(void) {
  const char *key = "kdcube:config:bundles:mapping:t:p";
  char registry[600];
  corbel_redis *redis = open_pool(rt, server.url, 4);
  snprintf(registry, sizeof registry,
           "{\"bundles\": {\"app\": {\"repo\": \"%s\", \"ref\": \"main\"}, \"bad\": {\"repo\": \"-x\"}}}",
           path_of("app.git"));
  send_command(redis, "SET", key, registry);
  lock_with = redis;
  corbel_bundles *l = open_loader("root");
  lock_with = NULL;
  corbel_bundle_follow_options o = {.struct_size = sizeof o, .tenant = "t", .project = "p", .follow_ms = -1};
  corbel_error *e = NULL;
  corbel_call c = call_to(q, 0);
  corbel_text *text = NULL;
  CHECK_EQ(corbel_bundles_ready(l, &c, NULL), CORBEL_STATE);
  CHECK_EQ(corbel_bundles_registry(l, &text, NULL), CORBEL_STATE);
  REQUIRE(corbel_bundles_follow(l, redis, &o, &e) == CORBEL_OK);
  CHECK_EQ(corbel_bundles_follow(l, redis, &o, NULL), CORBEL_STATE);
  ready(l, 0);
  CHECK(knows(l, "app"));
  CHECK(!knows(l, "bad"));
  CHECK(access(path_of("root/app__main/.kdcube.git-bundle.json"), R_OK) == 0);
  corbel_bytes view;
  REQUIRE(corbel_bundles_registry(l, &text, NULL) == CORBEL_OK);
  corbel_text_bytes(text, &view);
  CHECK(strstr(view.data, "\"path\": \"bundles.bad.repo\"") != NULL);
  corbel_text_free(text);
  await_notice(CORBEL_BUNDLE_REFUSED);
  shell(
      "printf two > tree/hello && git -C tree add -A && git -C tree commit -q -m x && git -C tree push -q ../app.git "
      "HEAD:refs/heads/main");
  await_notice(CORBEL_BUNDLE_SWITCHED);
  REQUIRE(corbel_bundles_look(l, "app", NULL) == CORBEL_OK);
  await_notice(CORBEL_BUNDLE_SWITCHED);
  CHECK_EQ(corbel_bundles_look(l, "bad", &e), CORBEL_INVALID);
  corbel_error_free(e);
  send_command(redis, "SET", key, "{\"bundles\": {}}");
  send_command(redis, "PUBLISH", "kdcube:config:bundles:update:t:p", "{}");
  await_notice(CORBEL_BUNDLE_FORGOTTEN);
  corbel_redis_free(redis); /* what follows has a reference of its own */
  corbel_bundles_free(l);
}

static void a_file(void) {
  shell("printf 'items:\n- {id: app, repo: %s/app.git}\n' $PWD > bundles.yaml");
  setenv("BUNDLES_YAML_DESCRIPTOR_PATH", path_of("bundles.yaml"), 1);
  corbel_bundles *l = open_loader("other");
  corbel_bundle_follow_options o = {.struct_size = sizeof o, .flags = CORBEL_FOLLOW_ENVIRONMENT | CORBEL_BUNDLE_OPTIONAL};
  REQUIRE(corbel_bundles_follow(l, NULL, &o, NULL) == CORBEL_OK);
  ready(l, 0);
  CHECK(knows(l, "app"));
  corbel_bundles_free(l);
  unsetenv("BUNDLES_YAML_DESCRIPTOR_PATH");
}

static void misuse(void) {
  corbel_bundles *l = open_loader("other");
  corbel_bundle_follow_options o = {.struct_size = sizeof o};
  corbel_call c = call_to(q, 0);
  CHECK_EQ(corbel_bundles_follow(NULL, NULL, &o, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_bundles_follow(l, NULL, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_bundles_follow(l, NULL, &o, NULL), CORBEL_INVALID); /* neither a file nor Redis */
  o.file = "relative";
  CHECK_EQ(corbel_bundles_follow(l, NULL, &o, NULL), CORBEL_INVALID);
  o.file_look_ms = -1;
  CHECK_EQ(corbel_bundles_follow(l, NULL, &o, NULL), CORBEL_INVALID);
  o.flags = 0x80;
  CHECK_EQ(corbel_bundles_follow(l, NULL, &o, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_bundles_ready(NULL, &c, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_bundles_registry(NULL, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_bundles_look(l, NULL, NULL), CORBEL_INVALID);
  corbel_bundles_free(l);
}

static void deliveries(void) {
  const char *signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  corbel_webhook w = {.struct_size = sizeof w};
  corbel_text *text = NULL;
  corbel_error *e = NULL;
  corbel_bytes view;
  CHECK_EQ(corbel_webhook_verify("secret", &w, NULL, NULL), CORBEL_REFUSED);
  w.signature.data = signature;
  w.signature.size = strlen(signature);
  w.body.data = "Hello, World!";
  w.body.size = strlen(w.body.data);
  REQUIRE(corbel_webhook_verify("It's a Secret to Everybody", &w, &text, &e) == CORBEL_OK);
  corbel_text_bytes(text, &view);
  CHECK(strcmp(view.data, "{\"sender\": \"github\", \"event\": \"\", \"ref\": null, \"push\": true}") == 0);
  corbel_text_free(text);
  CHECK_EQ(corbel_webhook_verify("another", &w, NULL, &e), CORBEL_REFUSED);
  CHECK(strstr(corbel_error_message(e), "7571") == NULL);
  corbel_error_free(e);
  CHECK_EQ(corbel_webhook_verify("", &w, NULL, NULL), CORBEL_REFUSED);
  CHECK_EQ(corbel_webhook_verify(NULL, &w, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_webhook_verify("x", NULL, NULL, NULL), CORBEL_INVALID);
}

int main(void) {
  REQUIRE(mkdtemp(folder) != NULL);
  shell(
      "git init -q --bare -b main app.git && git init -q -b main tree && printf one > tree/hello && git -C tree add -A && "
      "git -C tree commit -q -m x && git -C tree push -q ../app.git HEAD:refs/heads/main");
  server_start(&server);
  rt = open_runtime();
  q = open_events(rt);
  notices = open_events(rt);
  RUN(a_registry_in_redis);
  RUN(a_file);
  RUN(misuse);
  RUN(deliveries);
  REQUIRE(corbel_runtime_shutdown(rt, 20000, NULL) == CORBEL_OK);
  corbel_events_free(q);
  corbel_events_free(notices);
  corbel_runtime_free(rt);
  server_stop(&server);
  shell("chmod -R u+w . && rm -rf ./*");
  REQUIRE(rmdir(folder) == 0);
  return check_report();
}
