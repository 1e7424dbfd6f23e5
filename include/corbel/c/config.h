/* Corbel: the gateway document of the platform as one component's settings. Which keys there are, their defaults and what
 * is allowed stands in corbel/config.hpp; corbel_config_table shows them all.
 *
 *     corbel_config *c;
 *     if (corbel_config_from_env(NULL, &c, &err) != CORBEL_OK) die(corbel_error_message(err)); // every fault at once
 *     corbel_text *t;
 *     corbel_config_table(c, &t, NULL);
 *
 * A corbel_config never changes and may be read by any thread. It needs no runtime; a child after fork may use it. */
#ifndef CORBEL_C_CONFIG_H
#define CORBEL_C_CONFIG_H
#include <corbel/c/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Made by corbel_config_parse or corbel_config_from_env, or received with CORBEL_EVENT_CONFIG; corbel_config_free. */
typedef struct corbel_config corbel_config;

/* Reads a document (JSON). component: "ingress", "proc", "metrics", another name or an alias ("worker"); NULL: "ingress".
 * CORBEL_INVALID with every fault in the message, each as [path: found ...; allowed: ...]. The environment is not looked at.
 */
CORBEL_API corbel_status corbel_config_parse(const char *json, size_t size, const char *component, corbel_config **out,
                                             corbel_error **err);

/* Finds and reads the document as the platform's services do: GATEWAY_PRESET, GATEWAY_CONFIG_JSON, GATEWAY_YAML_PATH,
 * PLATFORM_DESCRIPTORS_DIR/gateway.yaml, else the defaults of GATEWAY_PROFILE; with TENANT_ID, DEFAULT_PROJECT_NAME,
 * PROJECT_ID, INSTANCE_ID, REDIS_URL or REDIS_HOST, _PORT, _PASSWORD, _DB. component NULL: GATEWAY_COMPONENT. A wrong source
 * is CORBEL_INVALID; none other takes its place. Reads the file on the calling thread. */
CORBEL_API corbel_status corbel_config_from_env(const char *component, corbel_config **out, corbel_error **err);

/* The effective settings on one line: {"component", "redis_url" (without secrets), the document's sections, "derived",
 * "connections", "origins": {path: where the value came from}, "warnings": [text]}. */
CORBEL_API corbel_status corbel_config_json(const corbel_config *c, corbel_text **out, corbel_error **err);
/* A line for each value: path, value, where it came from. */
CORBEL_API corbel_status corbel_config_table(const corbel_config *c, corbel_text **out, corbel_error **err);

CORBEL_API void corbel_config_free(corbel_config *c);

#ifdef __cplusplus
}
#endif
#endif
