"""Subscriptions in the asyncio face."""

import asyncio
import ctypes
from types import TracebackType
from typing import Dict, Optional, Sequence, Type

from corbel import _constants as c
from corbel import _structs
from corbel._caller import encode
from corbel._failure import opened
from corbel._handle import Handle
from corbel._library import quick
from corbel._mailbox import Mailbox
from corbel._options import Text
from corbel.errors import Closed, Error
from corbel.events import Pump
from corbel.notice import Notice, read_notice

_change = quick.corbel_sub_change


class Subscription:
    """Channels and patterns that are wanted by name, kept over reconnects. Made by ``redis.subscribe()``.

        async with r.subscribe("news") as sub:          # the server has confirmed
            await sub.add("sports", patterns=["job:*"])
            async for note in sub:                      # ends when the subscription is closed
                if note.kind == "message": print(note.channel, note.payload)
                else: ...                               # "gap", then "resubscribed": read again what may have been missed

    ``async for note in r.subscribe("news")`` does the same in one line; it closes with the last reference.
    """

    def __init__(
        self,
        pump: Pump,
        pool: Handle,
        channels: Sequence[Text],
        patterns: Sequence[Text],
        max_notices: int,
        decode: bool,
    ) -> None:
        self._pump = pump
        self._decode = decode
        self._wanted = (channels, patterns)
        self._started = False
        self._lost = 0
        self._mailbox: Mailbox[Notice] = Mailbox(pump.loop, "subscription", max_notices)
        options = _structs.sized(_structs.SubOptions)
        options.max_notices = max_notices
        options.to = pump.queue
        options.user = pump.register(self)
        self._handle = Handle(opened(quick.corbel_sub_open, pool.pointer, ctypes.byref(options)), quick.corbel_sub_free)

    async def add(self, *channels: Text, patterns: Sequence[Text] = (), timeout: Optional[float] = None) -> None:
        """Wants more names; done when the server has confirmed them all. A name that fails is not wanted."""
        await self._all(c.SUB_CHANNEL, channels, c.SUB_PATTERN, patterns, timeout)

    async def remove(self, *channels: Text, patterns: Sequence[Text] = (), timeout: Optional[float] = None) -> None:
        """Leaves names; done when the server has confirmed."""
        await self._all(c.SUB_LEAVE_CHANNEL, channels, c.SUB_LEAVE_PATTERN, patterns, timeout)

    async def get(self, timeout: Optional[float] = None) -> Notice:
        """The next notice. Raises Timeout after so many seconds, Closed when the subscription was closed."""
        if not self._started:
            await self._start()
        notice = await self._mailbox.get(timeout)
        if self._lost and notice.kind == "message":
            notice, self._lost = notice._replace(dropped=notice.dropped + self._lost), 0
        return notice

    async def close(self) -> None:
        """Leaves all names. Readers get what is there, then their loops end."""
        self._handle.free()
        self._mailbox.close()

    def end(self) -> None:
        """For the pump and the pool: nothing more comes."""
        self._mailbox.close()

    def receive(self, kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int) -> None:
        """For the pump."""
        decoder = self._pump.decoder
        notice = read_notice(decoder, self._decode, kind, status, flags, value, epoch, object, error)
        if notice is None:
            self._mailbox.close()
            return
        oldest = self._mailbox.put(notice)
        if oldest is not None and oldest.kind == "message":
            self._lost += oldest.dropped + 1

    async def _start(self) -> None:
        self._started = True
        try:
            await self.add(*self._wanted[0], patterns=self._wanted[1])
        except BaseException:
            self._started = False
            raise

    async def _all(
        self, change: int, names: Sequence[Text], change_patterns: int, patterns: Sequence[Text], timeout: Optional[float]
    ) -> None:
        """Starts all changes at once, then waits for each: one round trip."""
        pump = self._pump
        pump.check()
        started: Dict[int, "asyncio.Future[int]"] = {}
        problem: Optional[Error] = None
        try:
            for how, wanted in ((change, names), (change_patterns, patterns)):
                for name in wanted:
                    ticket = self._ask(how, encode(name), timeout)
                    started[ticket] = pump.futures[ticket]
            for future in started.values():
                try:
                    await future
                except Error as error:
                    problem = problem or error
        finally:
            for ticket, future in started.items():
                future.cancel()
                pump.abandon(ticket, future)
        if problem is not None:
            raise problem

    def _ask(self, how: int, name: bytes, timeout: Optional[float]) -> int:
        if not self._handle.pointer:
            raise Closed("the subscription was closed")
        pump = self._pump
        return pump.expect(_change(self._handle.pointer, how, name, len(name), pump.call(timeout), pump.ticket_to))

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> Notice:
        try:
            return await self.get()
        except Closed:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> "Subscription":
        await self._start()
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()
