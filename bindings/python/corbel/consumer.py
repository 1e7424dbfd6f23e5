"""The reading side of a queue in the asyncio face."""

import ctypes
from types import TracebackType
from typing import Callable, Optional, Type

from corbel import _constants as c
from corbel._failure import done, failure, opened
from corbel._handle import Handle
from corbel._library import quick
from corbel._mailbox import Mailbox
from corbel._message import HandlerT, ViewMemory
from corbel._workers import Workers
from corbel.errors import Closed, Forked, Invalid, State
from corbel.events import Pump
from corbel.message import Message
from corbel.queue_settings import ConsumerSettings, QueueMemory, at_least_one
from corbel.unworked import tell


class Consumer:
    """The reading side of a queue. Made by ``redis.consumer()``.

        async with r.consumer("work", concurrency=8) as consumer:
            @consumer.handler
            async def work(message: corbel.Message) -> None: ...
            await consumer.run()                        # ends after drain()

    or by hand, where many tasks may iterate at once, and each message comes to one of them:

            async for message in consumer:              # ends after drain()
                async with message: ...
    """

    def __init__(self, pump: Pump, pool: Handle, memory: QueueMemory, settings: ConsumerSettings) -> None:
        self._pump = pump
        self._concurrency = settings.concurrency
        self._unworked = settings.unworked
        self._handler: Optional[Callable[[Message], object]] = None
        self._workers: Optional[Workers] = None
        self._view = ViewMemory()
        self._mailbox: Mailbox[Message] = Mailbox(pump.loop, "consumer")
        memory.consumer(settings, pump.queue, pump.register(self))
        opener = quick.corbel_consumer_open
        self._handle = Handle(opened(opener, pool.pointer, ctypes.byref(memory.options)), quick.corbel_consumer_free)

    def handler(self, function: HandlerT) -> HandlerT:
        """A decorator: run() will call this function for every message."""
        self._handler = function
        return function

    async def run(self, handler: Optional[Callable[["Message"], object]] = None) -> None:
        """Has the handler, by default the decorated one, work every message, ``concurrency`` of them at once, until drain().

        It returns: done. It raises corbel.Retry or corbel.Bury: as they say. It raises any other exception: retried with the
        exception as reason, which is also logged as "corbel.queue". It may settle the message itself. When the message's
        lease is lost the handler is cancelled; when the task of run() is, all are, and their messages are handed back. A
        handler that is no coroutine function runs in the loop."""
        function = handler or self._handler
        if function is None:
            raise Invalid("run() has no handler: give one, or decorate one with @consumer.handler")
        if self._workers is not None:
            raise State("the consumer runs already; open another for another handler")
        self._pump.check()
        self._workers = Workers(self._pump, self._mailbox, function)
        try:
            await self._workers.run(self._concurrency)
        finally:
            self._workers = None

    def set_concurrency(self, concurrency: int) -> None:
        """Another concurrency. More: messages are claimed for it at once. Less: what is out comes to its end, and nothing
        more is claimed until fewer are out. prefetch stays."""
        at_least_one(concurrency, "concurrency")
        if not self._handle.pointer:
            raise Closed("the consumer was closed")
        done(quick.corbel_consumer_set_concurrency, self._handle.pointer, concurrency)
        self._concurrency = concurrency
        if self._workers is not None:
            self._workers.grow(concurrency)

    async def get(self, timeout: Optional[float] = None) -> Message:
        """The next message. Raises Timeout after so many seconds, Closed after drain()."""
        return await self._mailbox.get(timeout)

    async def drain(self, timeout: Optional[float] = None) -> int:
        """Stops claiming, hands back what nobody has got yet, waits for so many seconds (None: as long as a lease, at least
        5) until all messages that are out are settled. Iterations end at once, run() when its handlers have. What is not
        settled then is handed back, uncounted as an attempt, and lost for who has it. Returns how many of those there
        were."""
        pump = self._pump
        pump.check()
        self._mailbox.close()
        self._mailbox.clear()
        if not self._handle.pointer:
            return 0
        status = quick.corbel_consumer_drain(self._handle.pointer, pump.call(timeout), pump.ticket_to)
        return int(await pump.result(pump.expect(status)))

    async def close(self, timeout: Optional[float] = None) -> int:
        """Drains, then frees it."""
        try:
            return await self.drain(timeout)
        finally:
            self._handle.free()

    def end(self) -> None:
        """For the pump and the pool: nothing more comes."""
        self._mailbox.close()

    def receive(self, kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int) -> None:
        """For the pump."""
        if kind == c.EVENT_MESSAGE:
            message = Message(self._pump, self._view, object)
            if not self._mailbox.closed:
                self._mailbox.put(message)
        elif kind == c.EVENT_UNWORKED:
            tell(self._unworked, value, object)
        elif kind == c.EVENT_MESSAGE_LOST:
            if self._workers is not None:
                self._workers.lost(value)
        else:
            failure(status, error)
            self._mailbox.close()

    def __aiter__(self) -> "Consumer":
        return self

    async def __anext__(self) -> Message:
        try:
            return await self._mailbox.get()
        except Closed:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> "Consumer":
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        try:
            await self.close()
        except (Closed, Forked):
            pass
