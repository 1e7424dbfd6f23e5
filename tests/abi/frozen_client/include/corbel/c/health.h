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

typedef struct corbel_health_report {
  uint32_t struct_size;
  uint32_t flags;   /* CORBEL_HEALTH_REQUIRED */
  const char *part; /* name of the part; required; pools report as "redis:<kind>" by themselves */
  int32_t state;    /* CORBEL_HEALTH_... */
  int32_t reserved;
  int64_t fresh_ms;   /* 0: the report does not age */
  const char *reason; /* one line; NULL: none */
} corbel_health_report;
/* The roll-up is no better than this part. Others make it DEGRADED at worst. */
#define CORBEL_HEALTH_REQUIRED 0x1u

CORBEL_API corbel_status corbel_health_set(corbel_runtime *rt, const corbel_health_report *h, corbel_error **err);
/* {"state": "ok", "because": null, "parts": {"redis:main": {"state", "reason", "since", "required"}}} */
CORBEL_API corbel_status corbel_health_json(corbel_runtime *rt, corbel_text **out, corbel_error **err);
/* State of one part, or of the roll-up for NULL; UNKNOWN for a part nobody reported. */
CORBEL_API int32_t corbel_health_state(corbel_runtime *rt, const char *part);

#ifdef __cplusplus
}
#endif
#endif
