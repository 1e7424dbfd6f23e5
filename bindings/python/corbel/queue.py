"""A queue on Redis lists in the asyncio face: at least once."""

import ctypes
from types import TracebackType
from typing import Iterable, Optional, Type, Union

from corbel import _constants as c
from corbel import _structs
from corbel._failure import failure, opened
from corbel._handle import Handle
from corbel._library import quick
from corbel._mailbox import Mailbox
from corbel._options import queue_options
from corbel.errors import Closed, Forked
from corbel.events import Pump
from corbel.message import Body, Item, MessageBase, puts, settlement


class Producer:
    """The writing side of a queue. Made by ``redis.producer()``."""

    def __init__(self, pump: Pump, pool: Handle, name: Optional[str]) -> None:
        self._pump = pump
        options = queue_options(name)
        opener = quick.corbel_producer_open
        self._handle = Handle(opened(opener, pool.pointer, ctypes.byref(options)), quick.corbel_producer_free)

    async def put(self, body: Body, *, id: Optional[str] = None, timeout: Optional[float] = None) -> int:
        """Puts one message; returns the depth of the queue after it. Lost and Timeout say maybe_applied."""
        return await self.put_all([Item(body, id)], timeout=timeout)

    async def put_all(self, items: Iterable[Union[Body, Item]], *, timeout: Optional[float] = None) -> int:
        """Puts items in order, all or none, in one round trip."""
        pump = self._pump
        pump.check()
        array = puts(*items)
        size = ctypes.sizeof(_structs.Put)
        status = quick.corbel_producer_put(
            self._open(), ctypes.addressof(array), len(array), size, pump.call(timeout), pump.ticket_to
        )
        return int(await pump.result(pump.expect(status)))

    async def depth(self, *, timeout: Optional[float] = None) -> int:
        """How many messages are ready."""
        pump = self._pump
        pump.check()
        status = quick.corbel_producer_depth(self._open(), pump.call(timeout), pump.ticket_to)
        return int(await pump.result(pump.expect(status)))

    async def close(self) -> None:
        """Frees it; puts under way end by themselves."""
        self._handle.free()

    def _open(self) -> int:
        if not self._handle.pointer:
            raise Closed("the producer was closed")
        return self._handle.pointer

    async def __aenter__(self) -> "Producer":
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()


class Message(MessageBase):
    """One leased message of a consumer.

        async with message: work(message.body)      # done; retry when it raises; handed back when the task is cancelled

    A settlement goes on when the task that waits for it is cancelled: the work was done, and only its answer is not awaited.
    """

    def __init__(self, pump: Pump, pointer: int) -> None:
        super().__init__(pointer)
        self._pump = pump

    async def done(self, *, timeout: Optional[float] = None) -> bool:
        """Worked: removes it. False when the lease had been lost, and another may have it."""
        return await self._settle(c.SETTLE_DONE, None, timeout)

    async def retry(self, reason: Optional[str] = None, *, timeout: Optional[float] = None) -> bool:
        """Back to the queue's front; counts as an attempt."""
        return await self._settle(c.SETTLE_RETRY, reason, timeout)

    async def hand_back(self, reason: Optional[str] = None, *, timeout: Optional[float] = None) -> bool:
        """Back as if it had not been claimed."""
        return await self._settle(c.SETTLE_HAND_BACK, reason, timeout)

    async def _settle(self, how: int, reason: Optional[str], timeout: Optional[float]) -> bool:
        pump = self._pump
        pump.check()
        settle = settlement(how, reason)
        message = Handle(self._take(), quick.corbel_message_free)  # freed when this ends, settled or not
        call = pump.call(timeout)
        ticket = pump.expect(quick.corbel_message_settle(message.pointer, ctypes.byref(settle), call, pump.ticket_to))
        return bool(await pump.result(ticket, cancel=False))

    async def __aenter__(self) -> "Message":
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if self.settled:
            return
        if error is None:
            await self.done()
        elif isinstance(error, Exception):
            await self.retry(f"{type(error).__name__}: {error}")
        else:
            await self.hand_back(type(error).__name__)


class Consumer:
    """The reading side of a queue. Made by ``redis.consumer()``.

        async with r.consumer("work", concurrency=8) as consumer:
            async for message in consumer:              # ends after drain()
                async with message: ...

    Many tasks may iterate at once; each message comes to one of them.
    """

    def __init__(
        self, pump: Pump, pool: Handle, name: Optional[str], concurrency: int, prefetch: int, lease: Optional[float]
    ) -> None:
        self._pump = pump
        self._mailbox: Mailbox[Message] = Mailbox(pump.loop, "consumer")
        options = queue_options(
            name, concurrency=concurrency, prefetch=prefetch, lease=lease, to=pump.queue, user=pump.register(self)
        )
        opener = quick.corbel_consumer_open
        self._handle = Handle(opened(opener, pool.pointer, ctypes.byref(options)), quick.corbel_consumer_free)

    async def get(self, timeout: Optional[float] = None) -> Message:
        """The next message. Raises Timeout after so many seconds, Closed after drain()."""
        return await self._mailbox.get(timeout)

    async def drain(self, timeout: Optional[float] = None) -> int:
        """Stops claiming, hands back what nobody has got yet, waits for so many seconds (5) until all messages that are
        out are settled. Iterations end at once. Returns how many messages were left."""
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
        failure(status, error)
        if kind != c.EVENT_MESSAGE:
            self._mailbox.close()
        elif self._mailbox.closed:
            quick.corbel_message_free(object)
        else:
            self._mailbox.put(Message(self._pump, object))

    def __aiter__(self) -> "Consumer":
        return self

    async def __anext__(self) -> Message:
        try:
            return await self.get()
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
