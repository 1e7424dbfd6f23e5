"""Statistics of a Redis pool."""

import ctypes
from typing import NamedTuple

from corbel import _structs
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
