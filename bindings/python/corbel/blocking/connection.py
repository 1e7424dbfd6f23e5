"""Connections of a PostgreSQL pool, for one thread at a time, in the blocking face."""

from types import TracebackType
from typing import Optional, Type

from corbel._library import quick
from corbel._pg_options import Depth
from corbel.blocking._locked_handle import LockedHandle
from corbel.blocking._port import Core
from corbel.blocking.transaction import Session


class Connection(Session):
    """A whole connection of the pool: transactions, SET, LOCK, temporary tables, streams, COPY. Made by ``acquire()``."""

    def __init__(self, core: Core, pointer: int) -> None:
        super().__init__(core, LockedHandle(pointer, quick.corbel_pg_conn_release), Depth())

    def release(self) -> None:
        """Gives the connection back; an open transaction is rolled back first, what is under way ends."""
        self._handle.free()

    def discard(self) -> None:
        """As release, and the connection is closed instead of being used again."""
        with self._handle.lock:
            pointer = self._handle.take()
            if pointer:
                quick.corbel_pg_conn_discard(pointer)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.release()
