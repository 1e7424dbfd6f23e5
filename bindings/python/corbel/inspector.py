"""What a queue holds, and its dead list, in the asyncio face."""

import ctypes
from types import TracebackType
from typing import AsyncIterator, Callable, Iterable, Optional, Type, Union

from corbel._failure import opened
from corbel._handle import Handle
from corbel._library import quick
from corbel.dead import DeadMessage, DeadPage, QueueStats, numbers_of, take_page, take_stats
from corbel.errors import Closed
from corbel.events import Pump
from corbel.queue_settings import QueueMemory


class Inspector:
    """A queue, seen from outside. Made by ``redis.inspector()``.

        async with r.inspector("work") as look:
            print(await look.stats())
            async for message in look:                  # all of the dead, page by page
                if message.lane == "paid": await look.requeue([message])

    Nothing here costs more the longer the queue is, but for what is returned.
    """

    def __init__(self, pump: Pump, pool: Handle, memory: QueueMemory) -> None:
        self._pump = pump
        opener = quick.corbel_inspector_open
        self._handle = Handle(opened(opener, pool.pointer, ctypes.byref(memory.options)), quick.corbel_inspector_free)

    async def stats(self, *, timeout: Optional[float] = None) -> QueueStats:
        """How many messages are ready, in flight, delayed, parked and dead, and how long the oldest waits."""
        pump = self._pump
        pump.check()
        status = quick.corbel_inspector_stats(self._open(), pump.call(timeout), pump.ticket_to)
        return take_stats(await pump.handle(pump.expect(status), quick.corbel_text_free))

    async def dead(self, after: Optional[int] = None, count: int = 100, *, timeout: Optional[float] = None) -> DeadPage:
        """A page of the dead list, the longest dead first: at most count (1 to 1,000) messages and 8 MiB of bodies.
        after: ``next`` of the page before."""
        pump = self._pump
        pump.check()
        status = quick.corbel_inspector_dead(self._open(), after or 0, count, pump.call(timeout), pump.ticket_to)
        return take_page(await pump.handle(pump.expect(status), quick.corbel_dead_free))

    async def requeue(
        self, messages: Optional[Iterable[Union[int, DeadMessage]]] = None, *, timeout: Optional[float] = None
    ) -> int:
        """Puts dead messages, or those of these numbers, back on their ready lists with their attempts forgotten; None: all
        of them. Returns how many there were."""
        return await self._change(quick.corbel_inspector_requeue, messages, timeout)

    async def purge(
        self, messages: Optional[Iterable[Union[int, DeadMessage]]] = None, *, timeout: Optional[float] = None
    ) -> int:
        """Removes dead messages, or those of these numbers, for good; None: all of them. Returns how many there were."""
        return await self._change(quick.corbel_inspector_purge, messages, timeout)

    async def close(self) -> None:
        """Frees it; calls under way end by themselves."""
        self._handle.free()

    async def _change(
        self, function: Callable[..., int], messages: Optional[Iterable[Union[int, DeadMessage]]], timeout: Optional[float]
    ) -> int:
        pump = self._pump
        pump.check()
        numbers = numbers_of(messages)
        count = 0 if numbers is None else len(numbers)
        status = function(self._open(), numbers, count, pump.call(timeout), pump.ticket_to)
        return int(await pump.result(pump.expect(status)))

    async def _all(self) -> AsyncIterator[DeadMessage]:
        after: Optional[int] = None
        while True:
            page = await self.dead(after)
            for message in page.messages:
                yield message
            after = page.next
            if after is None:
                return

    def _open(self) -> int:
        if not self._handle.pointer:
            raise Closed("the inspector was closed")
        return self._handle.pointer

    def __aiter__(self) -> AsyncIterator[DeadMessage]:
        return self._all()

    async def __aenter__(self) -> "Inspector":
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()
