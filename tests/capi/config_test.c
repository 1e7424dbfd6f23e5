/* The gateway document: read, refused with every fault, shown without secrets. */
#include "world.h"

static const char *const document =
    "{\"tenant\": \"acme\", \"redis_url\": \"redis://u:geheim@db:6379/1\", \"pools\": {\"pg_max_connections\": 100, "
    "\"redis_max_conections\": 1, \"ingress\": {\"redis_max_connections\": 20}, \"proc\": {\"redis_max_connections\": 40}}}";

static corbel_config *parse(const char *json, const char *component) {
  corbel_config *c = NULL;
  corbel_error *e = NULL;
  corbel_status s = corbel_config_parse(json, strlen(json), component, &c, &e);
  tell(e);
  REQUIRE(s == CORBEL_OK && c != NULL);
  return c;
}

static int holds(corbel_status (*show)(const corbel_config *, corbel_text **, corbel_error **), const corbel_config *c,
                 const char *text) {
  corbel_text *t = NULL;
  corbel_bytes b = {NULL, 0};
  CHECK_EQ(show(c, &t, NULL), CORBEL_OK);
  CHECK_EQ(corbel_text_bytes(t, &b), CORBEL_OK);
  int found = b.data && strstr(b.data, text) != NULL;
  corbel_text_free(t);
  return found;
}

static void a_document_is_read_for_a_component(void) {
  corbel_config *ingress = parse(document, NULL), *proc = parse(document, "worker");
  CHECK(holds(corbel_config_json, ingress, "\"redis_max_connections\": 20"));
  CHECK(holds(corbel_config_json, ingress, "\"redis_conns_per_instance\": 60"));
  CHECK(holds(corbel_config_json, proc, "\"component\": \"proc\""));
  CHECK(holds(corbel_config_json, proc, "\"redis_conns_per_instance\": 40"));
  CHECK(holds(corbel_config_json, proc, "\"pools.pg_max_connections\": \"document: pools.pg_max_connections\""));
  CHECK(holds(corbel_config_json, proc,
              "\"warnings\": [\"pools.redis_max_conections: unknown key, ignored; the nearest known one is "
              "\\\"redis_max_connections\\\"\""));
  CHECK(holds(corbel_config_table, proc, "document: pools.proc.redis_max_connections\n"));
  corbel_config_free(proc);
  corbel_config_free(ingress);
}

static void secrets_are_not_shown(void) {
  corbel_config *c = parse(document, NULL);
  CHECK(holds(corbel_config_json, c, "redis://***@db:6379/1"));
  CHECK(holds(corbel_config_table, c, "redis://***@db:6379/1"));
  CHECK(!holds(corbel_config_json, c, "geheim"));
  CHECK(!holds(corbel_config_table, c, "geheim"));
  corbel_config_free(c);
}

static void a_wrong_document_is_refused_with_every_fault(void) {
  const char *wrong = "{\"pools\": {\"redis_max_connections\": \"20\"}, \"limits\": null, \"redis_url\": \"u:geheim@x\"}";
  corbel_config *c = NULL;
  corbel_error *e = NULL;
  CHECK_EQ(corbel_config_parse(wrong, strlen(wrong), "proc", &c, &e), CORBEL_INVALID);
  CHECK(c == NULL);
  const char *text = corbel_error_message(e);
  CHECK(strstr(text, "3 faults in document: ") == text);
  CHECK(strstr(text, "[pools.redis_max_connections: found \"20\" (text); allowed: an integer of at least 1") != NULL);
  CHECK(strstr(text, "[limits: found null; allowed: an object]") != NULL);
  CHECK(strstr(text, "[redis_url: ") != NULL && strstr(text, "geheim") == NULL);
  CHECK(strcmp(corbel_error_source(e), "config") == 0);
  corbel_error_free(e);
  e = NULL;
  CHECK_EQ(corbel_config_parse("{", 1, NULL, &c, &e), CORBEL_INVALID);
  corbel_error_free(e);
  CHECK_EQ(corbel_config_parse(NULL, 0, NULL, &c, NULL), CORBEL_INVALID);
}

static void the_environment_says_where_it_is(void) {
  corbel_config *c = NULL;
  corbel_error *e = NULL;
  setenv("GATEWAY_CONFIG_JSON", document, 1);
  setenv("GATEWAY_COMPONENT", "processor", 1);
  setenv("REDIS_HOST", "elsewhere", 1);
  setenv("REDIS_PASSWORD", "p@ss", 1);
  REQUIRE(corbel_config_from_env(NULL, &c, &e) == CORBEL_OK);
  CHECK(holds(corbel_config_json, c, "\"component\": \"proc\""));
  CHECK(holds(corbel_config_json, c, "\"redis_url\": \"REDIS_HOST, REDIS_PASSWORD\""));
  CHECK(holds(corbel_config_table, c, "redis://***@elsewhere:6379/0"));
  corbel_config_free(c);
  REQUIRE(corbel_config_from_env("ingress", &c, &e) == CORBEL_OK);
  CHECK(holds(corbel_config_json, c, "\"redis_max_connections\": 20"));
  corbel_config_free(c);
  setenv("GATEWAY_CONFIG_JSON", "{\"limits\": []}", 1);
  CHECK_EQ(corbel_config_from_env(NULL, &c, &e), CORBEL_INVALID);
  CHECK(strstr(corbel_error_message(e), "1 fault in GATEWAY_CONFIG_JSON: [limits: ") != NULL);
  corbel_error_free(e);
  unsetenv("GATEWAY_CONFIG_JSON");
  unsetenv("GATEWAY_COMPONENT");
  unsetenv("REDIS_HOST");
  unsetenv("REDIS_PASSWORD");
}

static void nothing_is_made_of_null(void) {
  corbel_config *c = parse("{}", NULL);
  corbel_text *t = NULL;
  CHECK_EQ(corbel_config_parse("{}", 2, NULL, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_config_parse(NULL, 5, NULL, &c, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_config_from_env(NULL, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_config_json(NULL, &t, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_config_json(c, NULL, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_config_table(NULL, &t, NULL), CORBEL_INVALID);
  CHECK_EQ(corbel_config_table(c, NULL, NULL), CORBEL_INVALID);
  corbel_config_free(NULL);
  corbel_config_free(c);
}

int main(void) {
  RUN(a_document_is_read_for_a_component);
  RUN(secrets_are_not_shown);
  RUN(a_wrong_document_is_refused_with_every_fault);
  RUN(the_environment_says_where_it_is);
  RUN(nothing_is_made_of_null);
  return check_report();
}
