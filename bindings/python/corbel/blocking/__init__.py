"""The blocking face of Corbel: the same names as in :mod:`corbel`, for programs without an event loop.

    import corbel.blocking

    with corbel.blocking.Runtime() as rt, rt.redis("redis://localhost:6379") as r:
        r.execute("SET", "greeting", "hello")
        print(r.execute("GET", "greeting"))          # b'hello'

A runtime, pools, subscriptions, listeners, monitors, producers, consumers, heartbeats and inspectors may be used by any
number of threads at once; a lease, a connection and a message by one at a time. Each thread waits on a small events queue of
its own, so that threads share nothing. Ctrl-C and other signals are seen within a tenth of a second while the main thread
waits.
"""

from corbel.blocking.bundle_runner import BundleRun, BundleRunner
from corbel.blocking.bundles import Bundles
from corbel.blocking.connection import Connection
from corbel.blocking.consumer import Consumer
from corbel.blocking.health_changes import HealthChanges
from corbel.blocking.heartbeat import Heartbeat
from corbel.blocking.inspector import Inspector
from corbel.blocking.lease import Lease
from corbel.blocking.listener import Listener
from corbel.blocking.message import Message
from corbel.blocking.monitor import Monitor
from corbel.blocking.pools import Following, Pools
from corbel.blocking.postgres import Postgres
from corbel.blocking.producer import Producer
from corbel.blocking.redis import Redis
from corbel.blocking.runtime import Runtime
from corbel.blocking.server import HttpServer
from corbel.blocking.stream import CopyOut, RowStream
from corbel.blocking.subscription import Subscription
from corbel.blocking.transaction import Transaction

__all__ = [
    "BundleRun",
    "BundleRunner",
    "Bundles",
    "Connection",
    "Consumer",
    "CopyOut",
    "Following",
    "HealthChanges",
    "Heartbeat",
    "HttpServer",
    "Inspector",
    "Lease",
    "Listener",
    "Message",
    "Monitor",
    "Pools",
    "Postgres",
    "Producer",
    "Redis",
    "RowStream",
    "Runtime",
    "Subscription",
    "Transaction",
]
