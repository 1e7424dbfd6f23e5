"""A Redis pool in the asyncio face."""

from types import TracebackType
from typing import Callable, Optional, Sequence, Tuple, Type, TypeVar, Union
from weakref import WeakSet

from corbel._caller import Argument
from corbel._commands import Commands
from corbel._handle import Handle
from corbel._heartbeat import HeartbeatSettings
from corbel._library import quick
from corbel._options import Text
from corbel._reply import Reply
from corbel.consumer import Consumer
from corbel.errors import Closed, Forked
from corbel.events import Pump
from corbel.heartbeat import Heartbeat
from corbel.inspector import Inspector
from corbel.lease import LeaseRequest
from corbel.monitor import Monitor
from corbel.producer import Producer
from corbel.queue_settings import Admission, ConsumerSettings, Queue, QueueMemory
from corbel.stats import RedisStats, read_stats
from corbel.subscription import Subscription
from corbel.unworked import Unworked

_send = quick.corbel_redis_send
_eval = quick.corbel_redis_eval

_Child = Union[Subscription, Monitor, Consumer]
_C = TypeVar("_C", Subscription, Monitor, Consumer)


class Redis(Commands):
    """A pool of connections to one server. Commands of all tasks share pipelines; what changes or blocks a connection
    (MULTI, WATCH, BLPOP, SELECT ...) needs a lease. Made by ``runtime.redis()``."""

    def __init__(self, pump: Pump, pointer: int, decode: bool, shared: bool = False) -> None:
        super().__init__(pump, Handle(pointer, quick.corbel_redis_free), _send, decode, gather=True)
        self._shared = shared  # a reference on a pool of corbel.Pools
        self._children: "WeakSet[_Child]" = WeakSet()

    async def eval(
        self,
        script: Text,
        keys: Sequence[Argument] = (),
        arguments: Sequence[Argument] = (),
        *,
        timeout: Optional[float] = None,
        idempotent: bool = False,
        decode: Optional[bool] = None,
    ) -> Reply:
        """Runs a Lua script by its SHA1, loading it when the server does not know it. Otherwise as execute."""
        pump = self._pump
        pump.check()
        text = self._decode if decode is None else decode
        ticket = pump.script(_eval, self._handle.pointer, script, keys, arguments, timeout, idempotent, text)
        return await pump.result(pump.track(ticket))

    def lease(self, *, timeout: Optional[float] = None, decode: Optional[bool] = None) -> LeaseRequest:
        """An exclusive connection: ``async with r.lease() as k``, or ``k = await r.lease()`` and ``k.release()``.
        Waits in turn; raises Busy when the pool is exhausted until the time-out, Unavailable when the server is away."""
        return LeaseRequest(self._pump, self._handle, timeout, self._decode if decode is None else decode)

    def subscribe(self, *channels: Text, patterns: Sequence[Text] = (), max_notices: int = 4096) -> Subscription:
        """What is published on channels and patterns, kept over reconnects: ``async for note in r.subscribe("news")``.
        max_notices: kept for a slow reader, who then loses the oldest and is told how many."""
        self._pump.check()
        return self._child(Subscription(self._pump, self._handle, channels, patterns, max_notices, self._decode))

    def monitor(self, *, ping: Optional[float] = None, overdue: Optional[float] = None) -> Monitor:
        """Watches whether the server can be reached. ping: PING when silent that long (5 s); overdue: an answer later
        than this is a lost connection (2 s)."""
        self._pump.check()
        return self._child(Monitor(self._pump, self._handle, ping, overdue))

    def producer(
        self,
        queue: Union[str, Queue, None] = None,
        *,
        max_body: int = 0,
        idempotency_window: Optional[float] = None,
        admission: Optional[Admission] = None,
    ) -> Producer:
        """The writing side of a queue: its name ("corbel:queue"), or a corbel.Queue.
        max_body: bytes of one body (16 MiB); idempotency_window: seconds that an idempotency key is known (86,400);
        admission: when puts are refused; None: never."""
        self._pump.check()
        memory = QueueMemory(queue)
        memory.producer(max_body, idempotency_window, admission)
        return Producer(self._pump, self._handle, memory)

    def consumer(
        self,
        queue: Union[str, Queue, None] = None,
        *,
        concurrency: int = 1,
        prefetch: int = 0,
        lease: Optional[float] = None,
        backoff: Tuple[float, float] = (1.0, 300.0),
        crashed: str = "retry",
        instance: Optional[str] = None,
        unworked: Optional[Callable[[Unworked], object]] = None,
    ) -> Consumer:
        """The reading side of a queue: its name ("corbel:queue"), or a corbel.Queue; begins to claim at once.

        - concurrency: messages out at once; prefetch: claimed ahead of that: none where work takes long, so that other
          processes get it; 32 and more where it takes less than a few milliseconds
        - lease: seconds that a claim holds without renewal (30); renewed by itself while the message is out
        - backoff: seconds before a message is tried again: first, twice that, ... at most; up to a half of it is taken off
        - crashed: what becomes of a message whose worker died with it: "retry", or "interrupt": to the dead list
        - instance: names the holder of a lease; None: the runtime's
        - unworked: called in the loop with each message that is not worked: see corbel.Unworked
        """
        self._pump.check()
        settings = ConsumerSettings(concurrency, prefetch, lease, backoff, crashed, instance, unworked)
        return self._child(Consumer(self._pump, self._handle, QueueMemory(queue), settings))

    def inspector(self, queue: Union[str, Queue, None] = None) -> Inspector:
        """What a queue holds, and its dead list: its name ("corbel:queue"), or a corbel.Queue."""
        self._pump.check()
        return Inspector(self._pump, self._handle, QueueMemory(queue))

    def heartbeat(
        self,
        *,
        tenant: str = "home",
        project: str = "default-project",
        service: str = "chat:proc",
        instance: Optional[str] = None,
        capacity: int = 5,
        port: Optional[int] = None,
    ) -> Heartbeat:
        """Tells the fleet what this process can hold, by which admission counts capacity; begins at once.

        - service: "<type>:<name>", as in corbel.Admission; instance: None: the runtime's
        - capacity: messages at once: the consumers' concurrency together
        - port: where the process can be asked over HTTP
        """
        self._pump.check()
        settings = HeartbeatSettings(tenant, project, service, instance, capacity, port)
        return Heartbeat(self._pump, self._handle, settings)

    def stats(self) -> RedisStats:
        """What the pool holds now and has done."""
        return read_stats(self._handle)

    async def close(self, timeout: Optional[float] = None) -> None:
        """Refuses new calls, lets those under way complete for so many seconds (5), closes all connections.
        Readers of its subscriptions, monitors and consumers come to their end. A pool of ``Pools`` stays open."""
        pump = self._pump
        pump.check()
        pump.flush()
        if not self._shared:
            call = pump.call(timeout)
            await pump.result(pump.expect(quick.corbel_redis_close(self._handle.pointer, call, pump.ticket_to)))
        for child in list(self._children):
            child.end()

    def _child(self, child: _C) -> _C:
        self._children.add(child)
        return child

    async def __aenter__(self) -> "Redis":
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        try:
            await self.close()
        except (Closed, Forked):
            pass
