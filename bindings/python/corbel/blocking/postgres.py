"""A PostgreSQL pool in the blocking face."""

import ctypes
import time
from types import TracebackType
from typing import Any, Callable, Iterable, Optional, Sequence, Type
from weakref import WeakSet

from corbel._failure import received
from corbel._handle import Handle
from corbel._library import quick
from corbel._pg_copy import CopySource
from corbel._pg_retry import delay_after, may_rerun
from corbel.blocking._pg_statements import Statements
from corbel.blocking._port import Core
from corbel.blocking.connection import Connection
from corbel.blocking.listener import Listener
from corbel.blocking.stream import CopyOut, RowStream
from corbel.blocking.transaction import Transaction
from corbel.errors import Closed, Error, Forked
from corbel.stats import PgStats, read_pg_stats


class Postgres(Statements):
    """A pool of connections to one database. Statements of all threads share connections, each with its own outcome and in
    no promised order; what changes or holds a connection (BEGIN, SET, LISTEN, COPY ...) needs one of its own.
    Made by ``runtime.postgres()``.

        pool.fetchval("SELECT name FROM users WHERE id = $1", 42)
        with pool.transaction() as tx: ...
    """

    def __init__(self, core: Core, pointer: int, shared: bool = False) -> None:
        # Closed by close(), but freed only with the last reference: no other thread can then be on its way into it.
        self._core = core
        self._handle = Handle(pointer, quick.corbel_pg_free)
        self._send = quick.corbel_pg_query
        self._shared = shared  # a reference on the pool of corbel.Pools
        self._listeners: "WeakSet[Listener]" = WeakSet()

    def acquire(self, *, timeout: Optional[float] = None) -> Connection:
        """A connection of its own: ``with pool.acquire() as k``, or ``k = pool.acquire()`` and ``k.release()``.
        Waits in turn; raises Busy when the pool is exhausted until the time-out, Unavailable when the server is away."""
        with self._core.port() as port:
            status = quick.corbel_pg_lease(self._handle.pointer, port.call(timeout), port.ticket_to)
            return Connection(self._core, port.wait(port.start(status)))

    def transaction(
        self,
        *,
        isolation: Optional[str] = None,
        read_only: bool = False,
        deferrable: bool = False,
        timeout: Optional[float] = None,
    ) -> Transaction:
        """``with pool.transaction() as tx``: on a connection of its own; committed at the end, rolled back when an
        exception leaves it. isolation: "read committed", "repeatable read", "serializable"; timeout: of the wait for a
        connection."""
        return Transaction(
            self._core, None, lambda: self.acquire(timeout=timeout), isolation, read_only, deferrable
        )

    def retry(
        self,
        function: Callable[..., Any],
        *,
        attempts: int = 8,
        isolation: Optional[str] = None,
        read_only: bool = False,
        deferrable: bool = False,
    ) -> Any:
        """Calls function(tx) in a transaction and commits; after a serialization failure or a deadlock runs it again, with
        back-off, up to so many times altogether. The function has to bear that. Nothing else is run again."""
        for tries in range(1, attempts + 1):
            try:
                with self.transaction(isolation=isolation, read_only=read_only, deferrable=deferrable) as tx:
                    result = function(tx)
                return result
            except Error as error:
                if tries == attempts or not may_rerun(error):
                    raise
            time.sleep(delay_after(tries))

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], *, timeout: Optional[float] = None) -> int:
        """Runs a statement once for each row of parameters, in one transaction, many on their way at once; returns how
        many rows they touched."""
        with self.acquire() as connection:
            return connection.executemany(sql, rows, timeout=timeout)

    def stream(self, sql: str, *arguments: Any, chunk: int = 256, timeout: Optional[float] = None) -> RowStream:
        """``for row in pool.stream("SELECT ...")``: rows of a result larger than memory, so many at a time, on a
        connection of its own. timeout: of each piece."""
        return RowStream(self._core, self.acquire, sql, arguments, chunk, timeout)

    def copy_in(self, sql: str, source: CopySource, *, timeout: Optional[float] = None) -> int:
        """"COPY t FROM STDIN": source gives bytes or str, cut anywhere, or rows (tuples or lists of values) for the default
        text format. Returns how many rows were copied; none when it fails."""
        with self.acquire() as connection:
            return connection.copy_in(sql, source, timeout=timeout)

    def copy_out(self, sql: str, *, timeout: Optional[float] = None) -> CopyOut:
        """"COPY ... TO STDOUT": ``for data in pool.copy_out(sql)``: bytes of whole rows. timeout: of each piece."""
        return CopyOut(self._core, self.acquire, sql, timeout)

    def listen(self, *channels: str, max_notices: int = 4096) -> Listener:
        """What is notified on channels, kept over reconnects: ``for note in pool.listen("news")``.
        max_notices: kept for a slow reader, who then loses the oldest and is told how many."""
        self._core.check()
        listener = Listener(self._core, self._handle, channels, max_notices)
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

    def close(self, timeout: Optional[float] = None) -> None:
        """Refuses new calls, lets those under way complete for so many seconds, closes all connections. Readers of its
        listeners come to their end. The pool of ``Pools`` stays open."""
        with self._core.port() as port:
            if not self._shared:
                status = quick.corbel_pg_close(self._handle.pointer, port.call(timeout), port.ticket_to)
                port.wait(port.start(status))
        for listener in list(self._listeners):
            listener.end()

    def __enter__(self) -> "Postgres":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        try:
            self.close()
        except (Closed, Forked):
            pass
