"""Connections of a PostgreSQL pool, for one task at a time, in the asyncio face."""

from types import TracebackType
from typing import Any, Generator, Optional, Type

from corbel._handle import Handle
from corbel._library import quick
from corbel._pg_options import Depth
from corbel.events import Pump
from corbel.transaction import Session

_release = quick.corbel_pg_conn_release


class Connection(Session):
    """A whole connection of the pool: transactions, SET, LOCK, temporary tables, streams, COPY. Made by ``acquire()``."""

    def __init__(self, pump: Pump, pointer: int) -> None:
        super().__init__(pump, Handle(pointer, _release), Depth())

    def release(self) -> None:
        """Gives the connection back; an open transaction is rolled back first, what is under way ends."""
        self._handle.free()

    def discard(self) -> None:
        """As release, and the connection is closed instead of being used again."""
        pointer = self._handle.take()
        if pointer:
            quick.corbel_pg_conn_discard(pointer)

    async def __aenter__(self) -> "Connection":
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.release()


class AcquireRequest:
    """What ``acquire()`` returns: to be awaited, or used in ``async with``."""

    def __init__(self, pump: Pump, pool: Handle, timeout: Optional[float]) -> None:
        self._pump = pump
        self._pool = pool
        self._timeout = timeout
        self._connection: Optional[Connection] = None

    async def _acquire(self) -> Connection:
        pump = self._pump
        pump.check()
        ticket = pump.expect(quick.corbel_pg_lease(self._pool.pointer, pump.call(self._timeout), pump.ticket_to))
        return Connection(pump, await pump.handle(ticket, _release))

    def __await__(self) -> Generator[Any, None, Connection]:
        return self._acquire().__await__()

    async def __aenter__(self) -> Connection:
        self._connection = await self._acquire()
        return self._connection

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if self._connection is not None:
            self._connection.release()
