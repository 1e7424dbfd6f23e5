"""What one connection can do in the blocking face, and transactions on it."""

import ctypes
from collections import deque
from types import TracebackType
from typing import Any, Deque, Iterable, Optional, Sequence, Type

from corbel._library import quick
from corbel._pg_copy import CopySource, pieces_of
from corbel._pg_options import Depth, begin_options
from corbel._pg_result import affected_by
from corbel.blocking._locked_handle import LockedHandle, nothing
from corbel.blocking._pg_statements import Statements
from corbel.blocking._port import Core, Port
from corbel.blocking.stream import CopyOut, RowStream
from corbel.errors import Error, State

_conn_query = quick.corbel_pg_conn_query
_copy_free = quick.corbel_pg_copy_free
_AHEAD = 256


class Session(Statements):
    """One connection for one thread at a time; its statements run in order."""

    _handle: LockedHandle

    def __init__(self, core: Core, handle: LockedHandle, depth: Depth) -> None:
        self._core = core
        self._handle = handle
        self._depth = depth
        self._send = _conn_query

    @property
    def backend(self) -> int:
        """The server process that serves it, as pg_stat_activity.pid."""
        with self._handle.lock:
            return int(quick.corbel_pg_conn_backend(self._handle.pointer))

    def _start(
        self, port: Port, sql: str, arguments: Sequence[Any], flags: int, timeout: Optional[float], idempotent: bool
    ) -> int:
        with self._handle.lock:
            return super()._start(port, sql, arguments, flags, timeout, idempotent)

    def transaction(
        self, *, isolation: Optional[str] = None, read_only: bool = False, deferrable: bool = False
    ) -> "Transaction":
        """``with k.transaction() as tx``: committed at the end, rolled back when an exception leaves it. Within a
        transaction it is a savepoint. isolation: "read committed", "repeatable read", "serializable"."""
        return Transaction(self._core, self, None, isolation, read_only, deferrable)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], *, timeout: Optional[float] = None) -> int:
        """Runs a statement once for each row of parameters, in one transaction, many on their way at once; returns how
        many rows they touched."""
        with self.transaction() as tx:
            return tx._many(sql, rows, timeout)

    def stream(self, sql: str, *arguments: Any, chunk: int = 256, timeout: Optional[float] = None) -> RowStream:
        """``for row in k.stream("SELECT ...")``: rows of a result larger than memory, so many at a time. Until its
        end other statements of the connection wait. timeout: of each piece."""
        return RowStream(self._core, self, sql, arguments, chunk, timeout)

    def copy_in(self, sql: str, source: CopySource, *, timeout: Optional[float] = None) -> int:
        """"COPY t FROM STDIN": source gives bytes or str, cut anywhere, or rows (tuples or lists of values) for the default
        text format. Returns how many rows were copied; none when it fails."""
        with self._core.port() as port:
            begin = quick.corbel_pg_conn_copy_in
            copy = LockedHandle(
                port.wait(self._handle.start(port, begin, sql.encode(), timeout=timeout)), _copy_free
            )
        try:
            for piece in pieces_of(source):
                with self._core.port() as port:
                    write = quick.corbel_pg_copy_write
                    port.wait(copy.start(port, write, piece, len(piece), timeout=timeout))
            with self._core.port() as port:
                return int(port.wait(copy.start(port, quick.corbel_pg_copy_finish, timeout=timeout)))
        finally:
            copy.free()

    def copy_out(self, sql: str, *, timeout: Optional[float] = None) -> CopyOut:
        """"COPY ... TO STDOUT": ``for data in k.copy_out(sql)``: bytes of whole rows. timeout: of each piece."""
        return CopyOut(self._core, self, sql, timeout)


class Transaction(Session):
    """A transaction, or a savepoint within one. Made by ``transaction()`` of a pool, a connection or a transaction."""

    def __init__(
        self,
        core: Core,
        session: Optional[Session],
        acquire: Any,
        isolation: Optional[str],
        read_only: bool,
        deferrable: bool,
    ) -> None:
        handle, depth = (session._handle, session._depth) if session else (nothing(), Depth())
        super().__init__(core, handle, depth)
        self._acquire = acquire  # None: the session's connection is used
        self._options = begin_options(isolation, read_only, deferrable)
        self._level = -1  # not begun
        self._ended = False

    def rollback(self) -> None:
        """Ends it now, without keeping anything; leaving the block does nothing more."""
        if self._level < 0 or self._ended:
            raise State("the transaction was not begun, or has ended", source="postgres")
        self._ended = True
        self._end(False)

    def _end(self, keep: bool) -> None:
        if self._level:
            word = "RELEASE SAVEPOINT" if keep else "ROLLBACK TO SAVEPOINT"
            self._run(f"{word} corbel_{self._level}", (), None, False, False, False)
            return
        with self._core.port() as port:
            end = quick.corbel_pg_conn_commit if keep else quick.corbel_pg_conn_rollback
            port.wait(self._handle.start(port, end))

    def _begin(self) -> None:
        if self._depth.value:
            self._run(f"SAVEPOINT corbel_{self._depth.value}", (), None, False, False, False)
        else:
            with self._core.port() as port:
                port.wait(self._handle.start(port, quick.corbel_pg_conn_begin, ctypes.byref(self._options)))
        self._level = self._depth.value
        self._depth.value += 1

    def _many(self, sql: str, rows: Iterable[Sequence[Any]], timeout: Optional[float]) -> int:
        touched = 0
        under_way: Deque[int] = deque()
        with self._core.port() as port:  # the events of one connection come in order
            for row in rows:
                under_way.append(self._start(port, sql, row, 0, timeout, False))
                if len(under_way) >= _AHEAD:
                    touched += affected_by(port.wait(under_way.popleft()))
            while under_way:
                touched += affected_by(port.wait(under_way.popleft()))
        return touched

    def __enter__(self) -> "Transaction":
        if self._level >= 0:
            raise State("a transaction is begun once", source="postgres")
        if self._acquire is not None:
            self._handle = self._acquire()._handle
        try:
            self._begin()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        try:
            if not self._ended:
                self._ended = True
                self._end(kind is None)
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
