/* Corbel: deliveries of GitHub and GitLab: are they really theirs? For hosts with an HTTP server of their own.
 *
 *     corbel_webhook w = {.struct_size = sizeof w, .signature = header("X-Hub-Signature-256"), .body = body};
 *     if (corbel_webhook_verify(secret, &w, NULL, &err)) return 401;
 *     corbel_bundles_look(loader, id, &err);
 *
 * GitHub signs the body with HMAC-SHA256, GitLab sends the secret itself; both are compared in constant time, and there is
 * no other way in: an empty secret lets nobody in. Pure. Threads: any. */
#ifndef CORBEL_C_WEBHOOK_H
#define CORBEL_C_WEBHOOK_H
#include <corbel/c/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corbel_webhook {
  uint32_t struct_size;
  uint32_t flags;         /* none defined */
  corbel_bytes signature; /* X-Hub-Signature-256; empty: there is none */
  corbel_bytes token;     /* X-Gitlab-Token; empty: there is none */
  corbel_bytes event;     /* X-GitHub-Event or X-Gitlab-Event */
  corbel_bytes body;      /* as it came, byte for byte */
} corbel_webhook;

/* OK, or CORBEL_REFUSED. out, which may be NULL, gets {"sender": "github|gitlab", "event", "ref", "push"}; ref: what was
 * pushed, null when the body does not say so; push: false for a ping, which asks for nothing. */
CORBEL_API corbel_status corbel_webhook_verify(const char *secret, const corbel_webhook *w, corbel_text **out,
                                               corbel_error **err);

#ifdef __cplusplus
}
#endif
#endif
