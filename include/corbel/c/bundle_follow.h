/* Corbel: the platform's registry of bundles, followed: what it lists is loaded and followed, what it lists no more is
 * forgotten.
 *
 *     corbel_bundle_follow_options o = {.struct_size = sizeof o, .tenant = "home", .project = "default-project"};
 *     corbel_bundles_follow(loader, redis, &o, &err);
 *     corbel_bundles_ready(loader, &call, NULL);      // each was loaded once, or has failed: value is how many have
 *
 * The registry is a file (bundles.yaml) where one is given, else the string kdcube:config:bundles:mapping:<tenant>:<project>
 * in Redis. The channel kdcube:config:bundles:update:<tenant>:<project> is subscribed first, and the registry read then,
 * again after every reconnect, and whenever a message comes, whatever it says; what it names is looked at anew. Only the
 * difference is applied. An entry that is wrong is reported, by CORBEL_BUNDLE_REFUSED, and the others are taken; what there
 * was of it stays. A registry that is wrong as a whole, unreadable, or gone, changes nothing. Threads: any. */
#ifndef CORBEL_C_BUNDLE_FOLLOW_H
#define CORBEL_C_BUNDLE_FOLLOW_H
#include <corbel/c/bundle.h>
#include <corbel/c/redis.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Without a file here it is the one that BUNDLES_YAML_DESCRIPTOR_PATH names, else bundles.yaml in PLATFORM_DESCRIPTORS_DIR,
 * else /config/bundles.yaml, where there is one; TENANT_ID and PROJECT_ID stand in for members that are NULL. */
#define CORBEL_FOLLOW_ENVIRONMENT 0x2u

typedef struct corbel_bundle_follow_options {
  uint32_t struct_size;
  uint32_t flags;       /* CORBEL_BUNDLE_OPTIONAL: all of them; CORBEL_FOLLOW_ENVIRONMENT */
  const char *tenant;   /* NULL: "home" */
  const char *project;  /* NULL: "default-project" */
  const char *file;     /* absolute path of a bundles.yaml, which then counts; NULL: the registry is in Redis */
  int64_t file_look_ms; /* so often the file is looked at; 0: 2,000 */
  int64_t follow_ms;    /* of each bundle; 0: 60,000; -1: a repository is looked at when a message says so */
} corbel_bundle_follow_options;

/* Once per loader: STATE. redis may be NULL where there is a file; its pool's cap must leave a connection for the
 * subscription, and it may be freed. */
CORBEL_API corbel_status corbel_bundles_follow(corbel_bundles *l, corbel_redis *redis, const corbel_bundle_follow_options *o,
                                               corbel_error **err);
/* One CORBEL_EVENT_DONE when the registry was read for the first time, and all that it lists was loaded or has failed;
 * value: how many have failed. TIMEOUT by the deadline (0: the loader's network_ms) while the trying goes on. STATE where
 * no registry is followed. */
CORBEL_API corbel_status corbel_bundles_ready(corbel_bundles *l, const corbel_call *c, corbel_ticket *t);
/* The registry as it was read last, as corbel_bundle_registry_read gives it; with all that is in local folders. */
CORBEL_API corbel_status corbel_bundles_registry(corbel_bundles *l, corbel_text **out, corbel_error **err);
/* Looks for a new commit now, as after a push; notices tell what becomes of it. Never waits. INVALID for an unknown id. */
CORBEL_API corbel_status corbel_bundles_look(corbel_bundles *l, const char *id, corbel_error **err);

#ifdef __cplusplus
}
#endif
#endif
