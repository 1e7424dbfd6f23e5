"""What a queue holds, and its dead list, in the blocking face."""

import ctypes
from types import TracebackType
from typing import Callable, Iterable, Iterator, Optional, Type, Union

from corbel._failure import opened
from corbel._handle import Handle
from corbel._library import quick
from corbel.blocking._locked_handle import LockedHandle
from corbel.blocking._port import Core
from corbel.dead import DeadMessage, DeadPage, QueueStats, numbers_of, take_page, take_stats
from corbel.queue_settings import QueueMemory


class Inspector:
    """A queue, seen from outside. Made by ``redis.inspector()``.

        with r.inspector("work") as look:
            print(look.stats())
            for message in look:                        # all of the dead, page by page
                if message.lane == "paid": look.requeue([message])

    Nothing here costs more the longer the queue is, but for what is returned.
    """

    def __init__(self, core: Core, pool: Handle, memory: QueueMemory) -> None:
        self._core = core
        pointer = opened(quick.corbel_inspector_open, pool.pointer, ctypes.byref(memory.options))
        self._handle = LockedHandle(pointer, quick.corbel_inspector_free)

    def stats(self, *, timeout: Optional[float] = None) -> QueueStats:
        """How many messages are ready, in flight, delayed, parked and dead, and how long the oldest waits."""
        with self._core.port() as port:
            return take_stats(port.wait(self._handle.start(port, quick.corbel_inspector_stats, timeout=timeout)))

    def dead(self, after: Optional[int] = None, count: int = 100, *, timeout: Optional[float] = None) -> DeadPage:
        """A page of the dead list, the longest dead first: at most count (1 to 1,000) messages and 8 MiB of bodies.
        after: ``next`` of the page before."""
        with self._core.port() as port:
            ticket = self._handle.start(port, quick.corbel_inspector_dead, after or 0, count, timeout=timeout)
            return take_page(port.wait(ticket))

    def requeue(
        self, messages: Optional[Iterable[Union[int, DeadMessage]]] = None, *, timeout: Optional[float] = None
    ) -> int:
        """Puts dead messages, or those of these numbers, back on their ready lists with their attempts forgotten; None: all
        of them. Returns how many there were."""
        return self._change(quick.corbel_inspector_requeue, messages, timeout)

    def purge(
        self, messages: Optional[Iterable[Union[int, DeadMessage]]] = None, *, timeout: Optional[float] = None
    ) -> int:
        """Removes dead messages, or those of these numbers, for good; None: all of them. Returns how many there were."""
        return self._change(quick.corbel_inspector_purge, messages, timeout)

    def close(self) -> None:
        """Frees it; calls under way end by themselves."""
        self._handle.free()

    def _change(
        self, function: Callable[..., int], messages: Optional[Iterable[Union[int, DeadMessage]]], timeout: Optional[float]
    ) -> int:
        numbers = numbers_of(messages)
        count = 0 if numbers is None else len(numbers)
        with self._core.port() as port:
            return int(port.wait(self._handle.start(port, function, numbers, count, timeout=timeout)))

    def __iter__(self) -> Iterator[DeadMessage]:
        after: Optional[int] = None
        while True:
            page = self.dead(after)
            yield from page.messages
            after = page.next
            if after is None:
                return

    def __enter__(self) -> "Inspector":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()
