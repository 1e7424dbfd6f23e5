"""A PostgreSQL pool in the asyncio face."""

import asyncio
import ctypes
from types import TracebackType
from typing import Any, Callable, Iterable, Optional, Sequence, Type
from weakref import WeakSet

from corbel._failure import received
from corbel._handle import Handle
from corbel._library import quick
from corbel._pg_copy import CopySource
from corbel._pg_retry import delay_after, may_rerun
from corbel._pg_statements import Statements
from corbel.connection import AcquireRequest
from corbel.errors import Closed, Error, Forked
from corbel.events import Pump
from corbel.listener import Listener
from corbel.stats import PgStats, read_pg_stats
from corbel.stream import CopyOut, RowStream
from corbel.transaction import Transaction


class Postgres(Statements):
    """A pool of connections to one database. Statements of all tasks share connections, each with its own outcome and in no
    promised order; what changes or holds a connection (BEGIN, SET, LISTEN, COPY ...) needs one of its own.
    Made by ``runtime.postgres()``.

        await pool.fetchval("SELECT name FROM users WHERE id = $1", 42)
        async with pool.transaction() as tx: ...
    """

    def __init__(self, pump: Pump, pointer: int, shared: bool = False) -> None:
        self._pump = pump
        self._handle = Handle(pointer, quick.corbel_pg_free)
        self._send = quick.corbel_pg_query
        self._shared = shared  # a reference on the pool of corbel.Pools
        self._listeners: "WeakSet[Listener]" = WeakSet()

    def acquire(self, *, timeout: Optional[float] = None) -> AcquireRequest:
        """A connection of its own: ``async with pool.acquire() as k``, or ``k = await pool.acquire()`` and ``k.release()``.
        Waits in turn; raises Busy when the pool is exhausted until the time-out, Unavailable when the server is away."""
        return AcquireRequest(self._pump, self._handle, timeout)

    def transaction(
        self,
        *,
        isolation: Optional[str] = None,
        read_only: bool = False,
        deferrable: bool = False,
        timeout: Optional[float] = None,
    ) -> Transaction:
        """``async with pool.transaction() as tx``: on a connection of its own; committed at the end, rolled back when an
        exception leaves it. isolation: "read committed", "repeatable read", "serializable"; timeout: of the wait for a
        connection."""
        return Transaction(self._pump, None, self.acquire(timeout=timeout), isolation, read_only, deferrable)

    async def retry(
        self,
        function: Callable[..., Any],
        *,
        attempts: int = 8,
        isolation: Optional[str] = None,
        read_only: bool = False,
        deferrable: bool = False,
    ) -> Any:
        """Awaits function(tx) in a transaction and commits; after a serialization failure or a deadlock runs it again, with
        back-off, up to so many times altogether. The function has to bear that. Nothing else is run again."""
        for tries in range(1, attempts + 1):
            try:
                async with self.transaction(isolation=isolation, read_only=read_only, deferrable=deferrable) as tx:
                    result = await function(tx)
                return result
            except Error as error:
                if tries == attempts or not may_rerun(error):
                    raise
            await asyncio.sleep(delay_after(tries))

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]], *, timeout: Optional[float] = None) -> int:
        """Runs a statement once for each row of parameters, in one transaction, many on their way at once; returns how
        many rows they touched."""
        async with self.acquire() as connection:
            return await connection.executemany(sql, rows, timeout=timeout)

    def stream(self, sql: str, *arguments: Any, chunk: int = 256, timeout: Optional[float] = None) -> RowStream:
        """``async for row in pool.stream("SELECT ...")``: rows of a result larger than memory, so many at a time, on a
        connection of its own. timeout: of each piece."""
        return RowStream(self._pump, self.acquire(), sql, arguments, chunk, timeout)

    async def copy_in(self, sql: str, source: CopySource, *, timeout: Optional[float] = None) -> int:
        """"COPY t FROM STDIN": source gives bytes or str, cut anywhere, or rows (tuples or lists of values) for the default
        text format; it may be an asynchronous iterator. Returns how many rows were copied; none when it fails."""
        async with self.acquire() as connection:
            return await connection.copy_in(sql, source, timeout=timeout)

    def copy_out(self, sql: str, *, timeout: Optional[float] = None) -> CopyOut:
        """"COPY ... TO STDOUT": ``async for data in pool.copy_out(sql)``: bytes of whole rows. timeout: of each piece."""
        return CopyOut(self._pump, self.acquire(), sql, timeout)

    def listen(self, *channels: str, max_notices: int = 4096) -> Listener:
        """What is notified on channels, kept over reconnects: ``async for note in pool.listen("news")``.
        max_notices: kept for a slow reader, who then loses the oldest and is told how many."""
        self._pump.check()
        listener = Listener(self._pump, self._handle, channels, max_notices)
        self._listeners.add(listener)
        return listener

    def resize(self, min_size: int, max_size: int) -> None:
        """New limits, live: growth at once; shrinking closes idle connections now and others when they come back."""
        error = ctypes.c_void_p()
        status = quick.corbel_pg_resize(self._handle.pointer, min_size, max_size, ctypes.byref(error))
        if status:
            raise received(error.value or 0, status)

    def stats(self) -> PgStats:
        """What the pool holds now and has done."""
        return read_pg_stats(self._handle)

    async def close(self, timeout: Optional[float] = None) -> None:
        """Refuses new calls, lets those under way complete for so many seconds, closes all connections. Readers of its
        listeners come to their end. The pool of ``Pools`` stays open."""
        pump = self._pump
        pump.check()
        if not self._shared:
            call = pump.call(timeout)
            await pump.result(pump.expect(quick.corbel_pg_close(self._handle.pointer, call, pump.ticket_to)))
        for listener in list(self._listeners):
            listener.end()

    async def __aenter__(self) -> "Postgres":
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        try:
            await self.close()
        except (Closed, Forked):
            pass
