"""LISTEN in the asyncio face."""

import asyncio
import ctypes
from types import TracebackType
from typing import Dict, Optional, Sequence, Type

from corbel import _constants as c
from corbel import _pg_structs, _structs
from corbel._failure import opened
from corbel._handle import Handle
from corbel._library import quick
from corbel._mailbox import Mailbox
from corbel._options import text
from corbel.errors import Closed, Error
from corbel.events import Pump
from corbel.notice import PgNotice, read_pg_notice

_change = quick.corbel_pg_listener_change


class Listener:
    """Channels that are listened to by name, kept over reconnects. Made by ``pool.listen()``.

        async with pool.listen("news") as listener:     # the server has confirmed
            async for note in listener:                 # ends when the listener is closed
                if note.kind == "message": print(note.channel, note.payload)
                else: ...                               # "gap", then "listening": read again what may have been missed
    """

    def __init__(self, pump: Pump, pool: Handle, channels: Sequence[str], max_notices: int) -> None:
        self._pump = pump
        self._wanted = channels
        self._started = False
        self._lost = 0
        self._mailbox: Mailbox[PgNotice] = Mailbox(pump.loop, "listener", max_notices)
        options = _structs.sized(_pg_structs.PgListenerOptions)
        options.max_notices = max_notices
        options.to = pump.queue
        options.user = pump.register(self)
        pointer = opened(quick.corbel_pg_listener_open, pool.pointer, ctypes.byref(options))
        self._handle = Handle(pointer, quick.corbel_pg_listener_free)

    async def add(self, *channels: str, timeout: Optional[float] = None) -> None:
        """Listens to more channels; done when the server has confirmed them all. One that fails is not wanted."""
        await self._all(c.PG_LISTEN, channels, timeout)

    async def remove(self, *channels: str, timeout: Optional[float] = None) -> None:
        """Leaves channels; done when the server has confirmed."""
        await self._all(c.PG_UNLISTEN, channels, timeout)

    async def get(self, timeout: Optional[float] = None) -> PgNotice:
        """The next notice. Raises Timeout after so many seconds, Closed when the listener was closed."""
        if not self._started:
            await self._start()
        notice = await self._mailbox.get(timeout)
        if self._lost and notice.kind == "message":
            notice, self._lost = notice._replace(dropped=notice.dropped + self._lost), 0
        return notice

    async def close(self) -> None:
        """Leaves all channels. Readers get what is there, then their loops end."""
        self._handle.free()
        self._mailbox.close()

    def end(self) -> None:
        """For the pump and the pool: nothing more comes."""
        self._mailbox.close()

    def receive(self, kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int) -> None:
        """For the pump."""
        notice = read_pg_notice(kind, status, flags, value, epoch, object, error)
        if notice is None:
            self._mailbox.close()
            return
        oldest = self._mailbox.put(notice)
        if oldest is not None and oldest.kind == "message":
            self._lost += oldest.dropped + 1

    async def _start(self) -> None:
        self._started = True
        try:
            await self.add(*self._wanted)
        except BaseException:
            self._started = False
            raise

    async def _all(self, how: int, channels: Sequence[str], timeout: Optional[float]) -> None:
        """Starts all changes at once, then waits for each."""
        pump = self._pump
        pump.check()
        started: Dict[int, "asyncio.Future[int]"] = {}
        problem: Optional[Error] = None
        try:
            for channel in channels:
                if not self._handle.pointer:
                    raise Closed("the listener was closed")
                name = text(channel, "channel")
                ticket = pump.expect(_change(self._handle.pointer, how, name, pump.call(timeout), pump.ticket_to))
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

    def __aiter__(self) -> "Listener":
        return self

    async def __anext__(self) -> PgNotice:
        try:
            return await self.get()
        except Closed:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> "Listener":
        await self._start()
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()
