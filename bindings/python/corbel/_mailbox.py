"""Notices that came and were not read yet, in the asyncio face."""

import asyncio
from collections import deque
from typing import Deque, Generic, Optional, TypeVar

from corbel.errors import Closed, Timeout

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Filled by the pump, read by any number of tasks, first come first served. Loop's thread only."""

    def __init__(self, loop: asyncio.AbstractEventLoop, what: str, limit: int = 0) -> None:
        self._loop = loop
        self._what = what
        self._limit = limit
        self._items: Deque[T] = deque()
        self._readers: "Deque[asyncio.Future[None]]" = deque()
        self._woken = 0  # of the readers, and not running yet
        self.closed = False

    def put(self, item: T) -> Optional[T]:
        """Adds an item. When the limit is passed the oldest is taken out and returned."""
        self._items.append(item)
        if not self._woken:
            self._wake()
        return self._items.popleft() if 0 < self._limit < len(self._items) else None

    def close(self) -> None:
        """Nothing more comes: readers get what is there, then Closed."""
        self.closed = True
        self._wake(len(self._readers))

    def clear(self) -> Deque[T]:
        """Takes out everything that was not read."""
        items, self._items = self._items, deque()
        return items

    async def get(self, timeout: Optional[float] = None) -> T:
        """The oldest item; waits for one, with a time-out for so many seconds and then raises Timeout."""
        if self._items:
            return self._items.popleft()
        expired = [False]
        timer = None if timeout is None else self._loop.call_later(timeout, self._expire, expired)
        try:
            while not self._items:
                if self.closed:
                    raise Closed(f"the {self._what} was closed")
                if expired[0]:
                    raise Timeout(f"nothing came from the {self._what} within {timeout} s")
                await self._wait()
            return self._items.popleft()
        finally:
            if timer is not None:
                timer.cancel()

    async def _wait(self) -> None:
        reader: "asyncio.Future[None]" = self._loop.create_future()
        self._readers.append(reader)
        try:
            await reader
        except BaseException:
            if reader.done() and not reader.cancelled():
                self._woken -= 1
                self._wake_for(len(self._items))  # the turn was ours: others get it
            else:
                self._readers.remove(reader)
            raise
        self._woken -= 1
        self._wake_for(len(self._items) - 1)

    def _wake_for(self, items: int) -> None:
        """Whoever is woken may take all there is without a wait, or wait after the first item: each wakes two, so that
        neither many are woken in vain nor the last one late."""
        for _ in range(2):
            if self._woken < items:
                self._wake()

    def _wake(self, most: int = 1) -> None:
        while self._readers and most:
            reader = self._readers.popleft()
            if not reader.done():
                self._woken += 1
                reader.set_result(None)
                most -= 1

    def _expire(self, expired: "list[bool]") -> None:
        """One reader's time is up: all look again, for which of them it is only they know."""
        expired[0] = True
        self._wake(len(self._readers))
