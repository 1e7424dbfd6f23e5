/* Corbel: the health table. Parts report a state; the roll-up says whether the host is ready, and because of what. */
#ifndef CORBEL_C_HEALTH_H
#define CORBEL_C_HEALTH_H
#include <corbel/c/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CORBEL_HEALTH_UNKNOWN 0
#define CORBEL_HEALTH_OK 1
#define CORBEL_HEALTH_DEGRADED 2
#define CORBEL_HEALTH_DOWN 3
#define CORBEL_HEALTH_SATURATED 4 /* works, and has all that it can do: not ill */
#define CORBEL_HEALTH_STALE 5     /* said nothing within its fresh_ms; only the table says it */

typedef struct corbel_health_report {
  uint32_t struct_size;
  uint32_t flags;   /* CORBEL_HEALTH_REQUIRED, CORBEL_HEALTH_VITAL */
  const char *part; /* name of the part; required; pools report as "redis:<kind>" by themselves */
  int32_t state;    /* CORBEL_HEALTH_... */
  int32_t reserved;
  int64_t fresh_ms;   /* 0: the report does not age */
  const char *reason; /* one line; NULL: none */
} corbel_health_report;
/* The roll-up is no better than this part. Others make it DEGRADED at worst. */
#define CORBEL_HEALTH_REQUIRED 0x1u
/* Down or stale, only a restart of the process mends it: the host is not alive. */
#define CORBEL_HEALTH_VITAL 0x2u

CORBEL_API corbel_status corbel_health_set(corbel_runtime *rt, const corbel_health_report *h, corbel_error **err);
/* {"state": "ok", "because": null, "ready": true, "alive": true, "draining": false,
 *  "parts": {"redis:main": {"state", "reason", "since", "last_good", "required"}}} */
CORBEL_API corbel_status corbel_health_json(corbel_runtime *rt, corbel_text **out, corbel_error **err);
/* State of one part, or of the roll-up for NULL; UNKNOWN for a part nobody reported. */
CORBEL_API int32_t corbel_health_state(corbel_runtime *rt, const char *part);

/* Forgets a part. An unknown one is no fault. */
CORBEL_API corbel_status corbel_health_remove(corbel_runtime *rt, const char *part);
/* 1 or 0. Ready: no required part is unknown, down or stale, some part has reported, and the host does not drain. Alive: no
 * vital part is down or stale. */
CORBEL_API int corbel_health_ready(corbel_runtime *rt);
CORBEL_API int corbel_health_alive(corbel_runtime *rt);
/* From now on (on != 0) the host is not ready: whoever probes /readyz or /health hears it. Nothing else is stopped. */
CORBEL_API corbel_status corbel_health_drain(corbel_runtime *rt, int on);
/* Every change of a part or of the whole comes as CORBEL_EVENT_HEALTH: value is the new state, object a corbel_text,
 * {"part": "redis:main", "before": "ok", "state": "down", "reason": "...", "ready": false}; part is null for the whole. The
 * oldest of many that nobody takes are dropped (CORBEL_EVENT_DROPPED). A second call takes the place of the first; to NULL
 * ends it. */
CORBEL_API corbel_status corbel_health_watch(corbel_runtime *rt, corbel_events *to, uint64_t user);
/* Reports the part "runtime", vital and required: how long its I/O threads let a due timer wait. Over 250 ms it is degraded,
 * and when a thread is held for 15 s it is stale. Costs each I/O thread a timer twice a second. */
CORBEL_API corbel_status corbel_health_watch_lag(corbel_runtime *rt);

#ifdef __cplusplus
}
#endif
#endif
