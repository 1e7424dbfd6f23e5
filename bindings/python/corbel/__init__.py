"""Corbel: Redis and PostgreSQL pools, subscriptions, a health monitor and a queue for services, in asyncio.

    import asyncio, corbel

    async def main():
        async with corbel.Runtime() as rt, rt.redis("redis://localhost:6379") as r:
            await r.execute("SET", "greeting", "hello")
            print(await r.execute("GET", "greeting"))          # b'hello'

    asyncio.run(main())

:mod:`corbel.blocking` has the same names for programs without an event loop. Times are seconds everywhere. After a fork the
child gets :class:`Forked` from what its parent opened, and opens a runtime of its own.
"""

from corbel._constants import UNBOUNDED
from corbel._library import has_feature, version
from corbel._message import Bury, Retry
from corbel._pg_parameters import Json
from corbel._puts import Item, LaneEvents
from corbel._receipt import Receipt
from corbel._reply import Reply
from corbel.bundle import (
    Bundle,
    BundleAccess,
    BundleLock,
    BundleNotice,
    BundleStatus,
    Registry,
    RegistryEntry,
    RegistryFault,
    read_registry,
)
from corbel.bundle_run import BundleAnswer, HandlerStatus
from corbel.bundle_runner import BundleRun, BundleRunner
from corbel.bundles import Bundles
from corbel.config import Config
from corbel.connection import Connection
from corbel.consumer import Consumer
from corbel.dead import DeadMessage, DeadPage, FailedAttempt, LaneStats, QueueStats
from corbel.errors import (
    Busy,
    Cancelled,
    Closed,
    Error,
    Forked,
    Internal,
    Invalid,
    Lost,
    NoMemory,
    Protocol,
    Refused,
    State,
    Timeout,
    Unavailable,
    Unsupported,
)
from corbel.health import Health, HealthChange, HealthState
from corbel.health_changes import HealthChanges
from corbel.heartbeat import Heartbeat
from corbel.http import Request, Response
from corbel.inspector import Inspector
from corbel.lease import Lease
from corbel.listener import Listener
from corbel.message import Message
from corbel.metrics import Counter, Gauge, Histogram
from corbel.monitor import Monitor
from corbel.notice import Notice, PgNotice
from corbel.pools import Following, Pools
from corbel.postgres import Postgres
from corbel.producer import Producer
from corbel.queue_settings import Admission, Queue
from corbel.redis import Redis
from corbel.row import Row
from corbel.runtime import Runtime
from corbel.server import HttpServer
from corbel.state import RedisState, StateChange
from corbel.stats import PgStats, RedisStats
from corbel.stream import CopyOut, RowStream
from corbel.subscription import Subscription
from corbel.trace import follow_trace
from corbel.transaction import Transaction
from corbel.unworked import Unworked
from corbel.webhook import Push, verify_webhook

__all__ = [
    "UNBOUNDED",
    "Admission",
    "Bundle",
    "BundleAccess",
    "BundleAnswer",
    "BundleLock",
    "BundleNotice",
    "BundleRun",
    "BundleRunner",
    "BundleStatus",
    "Bundles",
    "Bury",
    "Busy",
    "Cancelled",
    "Closed",
    "Config",
    "Connection",
    "Consumer",
    "CopyOut",
    "Counter",
    "DeadMessage",
    "DeadPage",
    "Error",
    "FailedAttempt",
    "Following",
    "Forked",
    "Gauge",
    "HandlerStatus",
    "Health",
    "HealthChange",
    "HealthChanges",
    "HealthState",
    "Heartbeat",
    "Histogram",
    "HttpServer",
    "Inspector",
    "Internal",
    "Invalid",
    "Item",
    "Json",
    "LaneEvents",
    "LaneStats",
    "Lease",
    "Listener",
    "Lost",
    "Message",
    "Monitor",
    "NoMemory",
    "Notice",
    "PgNotice",
    "PgStats",
    "Pools",
    "Postgres",
    "Producer",
    "Protocol",
    "Push",
    "Queue",
    "QueueStats",
    "Receipt",
    "Redis",
    "RedisState",
    "RedisStats",
    "Refused",
    "Registry",
    "RegistryEntry",
    "RegistryFault",
    "Reply",
    "Request",
    "Response",
    "Retry",
    "Row",
    "RowStream",
    "Runtime",
    "State",
    "StateChange",
    "Subscription",
    "Timeout",
    "Transaction",
    "Unavailable",
    "Unsupported",
    "Unworked",
    "follow_trace",
    "has_feature",
    "read_registry",
    "verify_webhook",
    "version",
]
