/* Corbel's C API: one include for all of it. Needs C99; each header under corbel/c/ can also be included alone.
 * Start with corbel/c/base.h, whose opening comment tells what holds everywhere. */
#ifndef CORBEL_H
#define CORBEL_H
#include <corbel/c/base.h>
#include <corbel/c/bundle.h>
#include <corbel/c/bundle_follow.h>
#include <corbel/c/bundle_runner.h>
#include <corbel/c/config.h>
#include <corbel/c/events.h>
#include <corbel/c/health.h>
#include <corbel/c/http.h>
#include <corbel/c/metrics.h>
#include <corbel/c/pools.h>
#include <corbel/c/postgres.h>
#include <corbel/c/queue.h>
#include <corbel/c/queue_heartbeat.h>
#include <corbel/c/queue_inspector.h>
#include <corbel/c/redis.h>
#include <corbel/c/runtime.h>
#include <corbel/c/webhook.h>
#endif
