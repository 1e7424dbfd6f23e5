/* Corbel: the pools of one process, sized by its settings, and the budget of connections.
 *
 *     corbel_pools_open(rt, config, &p, &err);
 *     corbel_pools_redis(p, "async", &r, &err);
 *     corbel_pools_postgres(p, &pg, &err);
 *     corbel_pools_follow(p, q, 0, &err);                  // from now on the document's changes resize the pools
 *     corbel_pools_budget(p, 3, &call, &ticket);           // one CORBEL_EVENT_BUDGET
 *
 * ingress and metrics have three Redis pools (async, async_decode, sync), other components one that all share. An unset
 * redis_max_connections means unbounded, with a warning in the log. Threads: any. */
#ifndef CORBEL_C_POOLS_H
#define CORBEL_C_POOLS_H
#include <corbel/c/config.h>
#include <corbel/c/postgres.h>
#include <corbel/c/redis.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Made by corbel_pools_open; corbel_pools_free. */
typedef struct corbel_pools corbel_pools;

/* Completion of corbel_pools_budget; object: corbel_text, the budget as JSON, NULL on failure; value: 1 when it is over. */
#define CORBEL_EVENT_BUDGET 20
/* Notice of corbel_pools_follow; object: corbel_config, what counts now. Coalesced to the latest. */
#define CORBEL_EVENT_CONFIG 21

/* Opens the Redis pools and begins to connect; does not wait for the server. That of PostgreSQL is opened when it is asked
 * for. */
CORBEL_API corbel_status corbel_pools_open(corbel_runtime *rt, const corbel_config *c, corbel_pools **out,
                                           corbel_error **err);

/* A reference of one's own on a pool: corbel_redis_free, in any order. kind: "async", "async_decode" (replies that are not
 * UTF-8 fail with CORBEL_PROTOCOL), "sync"; "shared" where there is one; NULL: "async". INVALID for another. */
CORBEL_API corbel_status corbel_pools_redis(corbel_pools *p, const char *kind, corbel_redis **out, corbel_error **err);

/* A reference of one's own on the pool of PostgreSQL: corbel_pg_free, in any order. The first call opens it, sized by
 * pools.pg_pool_min_size and pg_pool_max_size; where the server is says the environment, as with corbel_pg_options.conninfo
 * NULL. INVALID when that is wrong. */
CORBEL_API corbel_status corbel_pools_postgres(corbel_pools *p, corbel_pg **out, corbel_error **err);

/* Resizes what is open, live: growth at once, shrinking as connections come back. No caller fails, no lease is cut.
 * CORBEL_INVALID for another component's settings. */
CORBEL_API corbel_status corbel_pools_apply(corbel_pools *p, const corbel_config *c, corbel_error **err);

/* Follows the document that the pools were opened with: the copy kept in Redis (written, where
 * GATEWAY_CONFIG_FORCE_ENV_ON_STARTUP says so) and every update published on its channel, also over reconnects. Pools are
 * resized by themselves; each change gives a CORBEL_EVENT_CONFIG on `to`, which may be NULL. A wrong document is refused
 * with all its faults in the log and as the health part "gateway:config"; what runs stays. Once per corbel_pools: STATE. */
CORBEL_API corbel_status corbel_pools_follow(corbel_pools *p, corbel_events *to, uint64_t user, corbel_error **err);

/* Plans connections for that many instances (0: 1), asks the servers what they allow and what others hold, and compares;
 * default deadline 5,000 ms. PostgreSQL is asked once its pool was opened. Its event is CORBEL_EVENT_BUDGET with
 * {"components", "postgres", "redis": {"planned", "allowed", "reserved", "others", "available", "level", "arithmetic"},
 * "over", "table": text for people}. Over budget is also a degraded health part and a line in the log. */
CORBEL_API corbel_status corbel_pools_budget(corbel_pools *p, uint32_t instances, const corbel_call *c, corbel_ticket *t);

/* Statistics of the pools as in the platform's heartbeats, with wait times and refusals: {"postgres": ... or null, "redis":
 * {"async", "async_decode", "sync"}}. */
CORBEL_API corbel_status corbel_pools_json(corbel_pools *p, corbel_text **out, corbel_error **err);

/* Frees the handle and ends following. Pools live on while references on them do. */
CORBEL_API void corbel_pools_free(corbel_pools *p);

#ifdef __cplusplus
}
#endif
#endif
