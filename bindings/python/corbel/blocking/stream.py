"""Results and COPY piece by piece, in the blocking face."""

from collections import deque
from types import TracebackType
from typing import Any, Deque, Generic, List, Optional, Sequence, Type, TypeVar

from corbel._library import quick
from corbel._pg_result import rows_of
from corbel.blocking._locked_handle import LockedHandle, nothing
from corbel.blocking._port import Core
from corbel.errors import Closed
from corbel.row import Row

T = TypeVar("T")
_stream_free = quick.corbel_pg_stream_free
_copy_free = quick.corbel_pg_copy_free


class Pieces(Generic[T]):
    """Opens with the first item that is asked for, on a connection or on one of its own; ends with its last, with close(),
    or with ``with``."""

    def __init__(self, core: Core, where: Any, timeout: Optional[float]) -> None:
        self._core = core
        self._where = where
        self._timeout = timeout
        self._own = nothing()  # the connection, when it was acquired for this
        self._handle = nothing()
        self._items: Deque[T] = deque()
        self._opened = self._ended = False

    def close(self) -> None:
        """Ends it; what was not read is dropped. Needs no waiting."""
        self._ended = True
        self._items.clear()
        self._handle.free()
        self._own.free()

    def _open(self, connection: LockedHandle) -> LockedHandle:
        raise NotImplementedError

    def _next(self) -> Sequence[T]:
        """The next items; none at the end."""
        raise NotImplementedError

    def _connect(self) -> None:
        self._opened = True
        connection = self._where
        if not hasattr(connection, "_handle"):
            connection = self._where()
            self._own = connection._handle
        self._handle = self._open(connection._handle)

    def __iter__(self) -> "Pieces[T]":
        return self

    def __next__(self) -> T:
        try:
            while not self._items:
                if self._ended:
                    raise StopIteration
                if not self._opened:
                    self._connect()
                found = self._next()
                self._items.extend(found)
                if not found:
                    self.close()
        except BaseException:
            self.close()
            raise
        return self._items.popleft()

    def __enter__(self) -> "Pieces[T]":
        if self._opened or self._ended:
            raise Closed("it was opened before", source="postgres")
        try:
            self._connect()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


class RowStream(Pieces[Row]):
    """Rows of one statement, a few at a time. Made by ``stream()`` of a pool, a connection or a transaction.

        for row in pool.stream("SELECT id, name FROM users"): ...

    A loop that is left early should be within ``with pool.stream(...) as rows``, which ends the statement at once."""

    def __init__(
        self, core: Core, where: Any, sql: str, arguments: Sequence[Any], chunk: int, timeout: Optional[float]
    ) -> None:
        super().__init__(core, where, timeout)
        self._statement = (sql, arguments)
        self._chunk = chunk

    def _open(self, connection: LockedHandle) -> LockedHandle:
        with self._core.port() as port:
            address = port.load_statement(*self._statement, 0)
            begin = quick.corbel_pg_conn_stream
            ticket = connection.start(port, begin, address, self._chunk, timeout=self._timeout)
            return LockedHandle(port.wait(ticket), _stream_free)

    def _next(self) -> List[Row]:
        with self._core.port() as port:
            ticket = self._handle.start(port, quick.corbel_pg_stream_next, timeout=self._timeout)
            return rows_of(port.wait(ticket))


class CopyOut(Pieces[bytes]):
    """Data of COPY ... TO STDOUT: bytes of whole rows. Made by ``copy_out()`` of a pool, a connection or a transaction."""

    def __init__(self, core: Core, where: Any, sql: str, timeout: Optional[float]) -> None:
        super().__init__(core, where, timeout)
        self._sql = sql

    def _open(self, connection: LockedHandle) -> LockedHandle:
        with self._core.port() as port:
            begin = quick.corbel_pg_conn_copy_out
            ticket = connection.start(port, begin, self._sql.encode(), timeout=self._timeout)
            return LockedHandle(port.wait(ticket), _copy_free)

    def _next(self) -> Sequence[bytes]:
        with self._core.port() as port:
            data: bytes = port.wait(self._handle.start(port, quick.corbel_pg_copy_read, timeout=self._timeout))
        return (data,) if data else ()
