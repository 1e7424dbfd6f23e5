"""Results and COPY piece by piece, in the asyncio face."""

from collections import deque
from types import TracebackType
from typing import Any, Deque, Generic, List, Optional, Sequence, Type, TypeVar

from corbel._handle import Handle
from corbel._library import quick
from corbel._pg_options import NO_HANDLE
from corbel._pg_result import rows_of
from corbel.errors import Closed
from corbel.events import Pump
from corbel.row import Row

T = TypeVar("T")
_stream_free = quick.corbel_pg_stream_free
_copy_free = quick.corbel_pg_copy_free


class Pieces(Generic[T]):
    """Opens with the first item that is asked for, on a connection or on one of its own; ends with its last, with close(),
    or with ``async with``."""

    def __init__(self, pump: Pump, where: Any, timeout: Optional[float]) -> None:
        self._pump = pump
        self._where = where
        self._timeout = timeout
        self._own = NO_HANDLE  # the connection, when it was acquired for this
        self._handle = NO_HANDLE
        self._items: Deque[T] = deque()
        self._opened = self._ended = False

    async def close(self) -> None:
        """Ends it; what was not read is dropped. Needs no waiting."""
        self._ended = True
        self._items.clear()
        self._handle.free()
        self._own.free()

    async def _open(self, connection: Handle) -> Handle:
        raise NotImplementedError

    async def _next(self) -> Sequence[T]:
        """The next items; none at the end."""
        raise NotImplementedError

    async def _connect(self) -> None:
        self._opened = True
        self._pump.check()
        connection = self._where
        if not hasattr(connection, "_handle"):
            connection = await self._where
            self._own = connection._handle
        self._handle = await self._open(connection._handle)

    def __aiter__(self) -> "Pieces[T]":
        return self

    async def __anext__(self) -> T:
        try:
            while not self._items:
                if self._ended:
                    raise StopAsyncIteration
                if not self._opened:
                    await self._connect()
                self._pump.check()
                found = await self._next()
                self._items.extend(found)
                if not found:
                    await self.close()
        except BaseException:
            await self.close()
            raise
        return self._items.popleft()

    async def __aenter__(self) -> "Pieces[T]":
        if self._opened or self._ended:
            raise Closed("it was opened before", source="postgres")
        try:
            await self._connect()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()


class RowStream(Pieces[Row]):
    """Rows of one statement, a few at a time. Made by ``stream()`` of a pool, a connection or a transaction.

        async for row in pool.stream("SELECT id, name FROM users"): ...

    A loop that is left early should be within ``async with pool.stream(...) as rows``, which ends the statement at once."""

    def __init__(
        self, pump: Pump, where: Any, sql: str, arguments: Sequence[Any], chunk: int, timeout: Optional[float]
    ) -> None:
        super().__init__(pump, where, timeout)
        self._statement = (sql, arguments)
        self._chunk = chunk

    async def _open(self, connection: Handle) -> Handle:
        pump = self._pump
        address = pump.load_statement(*self._statement, 0)
        call = pump.call(self._timeout)
        status = quick.corbel_pg_conn_stream(connection.pointer, address, self._chunk, call, pump.ticket_to)
        return Handle(await pump.handle(pump.expect(status), _stream_free), _stream_free)

    async def _next(self) -> List[Row]:
        pump = self._pump
        status = quick.corbel_pg_stream_next(self._handle.pointer, pump.call(self._timeout), pump.ticket_to)
        return rows_of(await pump.result(pump.expect(status)))


class CopyOut(Pieces[bytes]):
    """Data of COPY ... TO STDOUT: bytes of whole rows. Made by ``copy_out()`` of a pool, a connection or a transaction."""

    def __init__(self, pump: Pump, where: Any, sql: str, timeout: Optional[float]) -> None:
        super().__init__(pump, where, timeout)
        self._sql = sql

    async def _open(self, connection: Handle) -> Handle:
        pump = self._pump
        call = pump.call(self._timeout)
        status = quick.corbel_pg_conn_copy_out(connection.pointer, self._sql.encode(), call, pump.ticket_to)
        return Handle(await pump.handle(pump.expect(status), _copy_free), _copy_free)

    async def _next(self) -> Sequence[bytes]:
        pump = self._pump
        status = quick.corbel_pg_copy_read(self._handle.pointer, pump.call(self._timeout), pump.ticket_to)
        data: bytes = await pump.result(pump.expect(status))
        return (data,) if data else ()
