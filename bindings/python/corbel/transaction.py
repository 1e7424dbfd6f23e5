"""What one connection can do in the asyncio face, and transactions on it."""

import asyncio
import ctypes
from collections import deque
from types import TracebackType
from typing import Any, Deque, Iterable, Optional, Sequence, Type

from corbel._handle import Handle
from corbel._library import quick
from corbel._pg_copy import CopySource, pieces_of
from corbel._pg_options import NO_HANDLE, Depth, begin_options
from corbel._pg_result import affected_by
from corbel._pg_statements import Statements
from corbel.errors import Error, State
from corbel.events import Pump
from corbel.stream import CopyOut, RowStream

_conn_query = quick.corbel_pg_conn_query
_copy_free = quick.corbel_pg_copy_free
_AHEAD = 256


class Session(Statements):
    """One connection for one task at a time; its statements run in order."""

    def __init__(self, pump: Pump, handle: Handle, depth: Depth) -> None:
        self._pump = pump
        self._handle = handle
        self._depth = depth
        self._send = _conn_query

    @property
    def backend(self) -> int:
        """The server process that serves it, as pg_stat_activity.pid."""
        return int(quick.corbel_pg_conn_backend(self._handle.pointer))

    def transaction(
        self, *, isolation: Optional[str] = None, read_only: bool = False, deferrable: bool = False
    ) -> "Transaction":
        """``async with k.transaction() as tx``: committed at the end, rolled back when an exception leaves it. Within a
        transaction it is a savepoint. isolation: "read committed", "repeatable read", "serializable"."""
        return Transaction(self._pump, self, None, isolation, read_only, deferrable)

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]], *, timeout: Optional[float] = None) -> int:
        """Runs a statement once for each row of parameters, in one transaction, many on their way at once; returns how
        many rows they touched."""
        async with self.transaction() as tx:
            return await tx._many(sql, rows, timeout)

    def stream(self, sql: str, *arguments: Any, chunk: int = 256, timeout: Optional[float] = None) -> RowStream:
        """``async for row in k.stream("SELECT ...")``: rows of a result larger than memory, so many at a time. Until its
        end other statements of the connection wait. timeout: of each piece."""
        return RowStream(self._pump, self, sql, arguments, chunk, timeout)

    async def copy_in(self, sql: str, source: CopySource, *, timeout: Optional[float] = None) -> int:
        """"COPY t FROM STDIN": source gives bytes or str, cut anywhere, or rows (tuples or lists of values) for the default
        text format; it may be an asynchronous iterator. Returns how many rows were copied; none when it fails."""
        pump = self._pump
        pump.check()
        status = quick.corbel_pg_conn_copy_in(self._handle.pointer, sql.encode(), pump.call(timeout), pump.ticket_to)
        copy = Handle(await pump.handle(pump.expect(status), _copy_free), _copy_free)
        try:
            if hasattr(source, "__aiter__"):
                async for item in source:
                    for piece in pieces_of((item,)):
                        await self._write(copy, piece, timeout)
            else:
                for piece in pieces_of(source):
                    await self._write(copy, piece, timeout)
            finish = quick.corbel_pg_copy_finish(copy.pointer, pump.call(timeout), pump.ticket_to)
            return int(await pump.result(pump.expect(finish)))
        finally:
            copy.free()

    async def _write(self, copy: Handle, piece: bytes, timeout: Optional[float]) -> None:
        pump = self._pump
        status = quick.corbel_pg_copy_write(copy.pointer, piece, len(piece), pump.call(timeout), pump.ticket_to)
        await pump.result(pump.expect(status))

    def copy_out(self, sql: str, *, timeout: Optional[float] = None) -> CopyOut:
        """"COPY ... TO STDOUT": ``async for data in k.copy_out(sql)``: bytes of whole rows. timeout: of each piece."""
        return CopyOut(self._pump, self, sql, timeout)


class Transaction(Session):
    """A transaction, or a savepoint within one. Made by ``transaction()`` of a pool, a connection or a transaction."""

    def __init__(
        self,
        pump: Pump,
        session: Optional[Session],
        acquire: Any,
        isolation: Optional[str],
        read_only: bool,
        deferrable: bool,
    ) -> None:
        handle, depth = (session._handle, session._depth) if session else (NO_HANDLE, Depth())
        super().__init__(pump, handle, depth)
        self._acquire = acquire  # None: the session's connection is used
        self._options = begin_options(isolation, read_only, deferrable)
        self._level = -1  # not begun
        self._ended = False

    async def rollback(self) -> None:
        """Ends it now, without keeping anything; leaving the block does nothing more."""
        if self._level < 0 or self._ended:
            raise State("the transaction was not begun, or has ended", source="postgres")
        self._ended = True
        await self._end(False)

    async def _end(self, keep: bool) -> None:
        pump = self._pump
        pump.check()
        if self._level:
            word = "RELEASE SAVEPOINT" if keep else "ROLLBACK TO SAVEPOINT"
            await self._run(f"{word} corbel_{self._level}", (), None, False, False, False)
            return
        end = quick.corbel_pg_conn_commit if keep else quick.corbel_pg_conn_rollback
        await pump.result(pump.expect(end(self._handle.pointer, pump.call(None), pump.ticket_to)))

    async def _begin(self) -> None:
        pump = self._pump
        pump.check()
        if self._depth.value:
            await self._run(f"SAVEPOINT corbel_{self._depth.value}", (), None, False, False, False)
        else:
            begin = quick.corbel_pg_conn_begin
            options = ctypes.byref(self._options)
            await pump.result(pump.expect(begin(self._handle.pointer, options, pump.call(None), pump.ticket_to)))
        self._level = self._depth.value
        self._depth.value += 1

    async def _many(self, sql: str, rows: Iterable[Sequence[Any]], timeout: Optional[float]) -> int:
        pump = self._pump
        touched = 0
        under_way: "Deque[asyncio.Future[bytes]]" = deque()
        try:
            for row in rows:
                pump.check()
                ticket = pump.statement(_conn_query, self._handle.pointer, sql, row, 0, timeout, False)
                under_way.append(pump.futures[pump.track(ticket)])
                if len(under_way) >= _AHEAD:
                    touched += affected_by(await under_way.popleft())
            while under_way:
                touched += affected_by(await under_way.popleft())
        finally:
            for future in under_way:  # they end with the transaction
                if not future.done():
                    future.cancel()
                elif not future.cancelled():
                    future.exception()
        return touched

    async def __aenter__(self) -> "Transaction":
        if self._level >= 0:
            raise State("a transaction is begun once", source="postgres")
        if self._acquire is not None:
            self._handle = (await self._acquire)._handle
        try:
            await self._begin()
        except BaseException:
            self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        try:
            if not self._ended:
                self._ended = True
                await self._end(kind is None)
        except Error:
            if kind is None:
                raise
        finally:
            self._depth.value = self._level
            self._leave()

    def _leave(self) -> None:
        """Gives a connection of its own back; the pool rolls back what is still open."""
        if self._acquire is not None:
            self._handle.free()
