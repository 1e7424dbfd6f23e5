"""Statistics of pools."""

import ctypes
from typing import NamedTuple

from corbel import _pg_structs, _structs
from corbel._failure import received
from corbel._handle import Handle
from corbel._library import quick


class RedisStats(NamedTuple):
    """What a pool holds now and has done; see corbel_redis_stats in corbel/c/redis.h."""

    max: int
    open: int
    connecting: int
    idle: int
    pipelines: int
    leased: int
    subscriptions: int
    waiting: int
    waited_ms: int
    waits: int
    refused: int
    reconnects: int
    commands: int
    lost: int
    timeouts: int
    unanswered: int


def read_stats(pool: Handle) -> RedisStats:
    stats = _structs.RedisStats()
    status = quick.corbel_redis_stats_get(pool.pointer, ctypes.byref(stats), ctypes.sizeof(stats))
    if status:
        raise received(0, status)
    return RedisStats(*(getattr(stats, name) for name in RedisStats._fields))


class PgStats(NamedTuple):
    """What a pool holds now and has done; see corbel_pg_stats in corbel/c/postgres.h."""

    min: int
    max: int
    open: int
    idle: int
    in_use: int
    leased: int
    sharing: int
    listening: int
    connecting: int
    waiting: int
    queued: int
    unanswered: int
    waits: int
    waited_ms: int
    refused: int
    connects: int
    connect_failures: int
    reconnects: int
    statements: int
    errors: int
    lost: int
    timeouts: int
    cancels: int
    repeated: int


def read_pg_stats(pool: Handle) -> PgStats:
    stats = _pg_structs.PgStats()
    status = quick.corbel_pg_stats_get(pool.pointer, ctypes.byref(stats), ctypes.sizeof(stats))
    if status:
        raise received(0, status)
    return PgStats(*(getattr(stats, name) for name in PgStats._fields))
