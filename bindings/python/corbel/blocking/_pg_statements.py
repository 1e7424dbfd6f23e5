"""Statements in the blocking face, on a pool, a connection or a transaction."""

from typing import Any, Callable, List, Optional, Sequence

from corbel import _constants as c
from corbel._handle import Handle
from corbel._pg_result import row_of, rows_of, tag_of, value_of
from corbel.blocking._port import Core, Port
from corbel.row import Row


class Statements:
    """Runs statements through one C function on one C object. What holds for each:

    - sql: one statement; arguments: its parameters $1, $2 ..., typed by their Python types
    - timeout: seconds; None: the pool's call_timeout; math.inf: no limit
    - read_only: it only reads, so it may share a round trip with others, and be sent once more after a loss
    - idempotent: it may be sent once more after a loss
    - prepare: False: it is not kept as a prepared statement
    """

    _core: Core
    _handle: Handle
    _send: Callable[..., int]

    def execute(
        self,
        sql: str,
        *arguments: Any,
        timeout: Optional[float] = None,
        read_only: bool = False,
        idempotent: bool = False,
        prepare: bool = True,
    ) -> str:
        """Runs a statement and returns its tag, such as "INSERT 0 1"."""
        return tag_of(self._run(sql, arguments, timeout, read_only, idempotent, prepare))

    def fetch(
        self,
        sql: str,
        *arguments: Any,
        timeout: Optional[float] = None,
        read_only: bool = False,
        idempotent: bool = False,
        prepare: bool = True,
    ) -> List[Row]:
        """Runs a statement and returns its rows."""
        return rows_of(self._run(sql, arguments, timeout, read_only, idempotent, prepare))

    def fetchrow(
        self,
        sql: str,
        *arguments: Any,
        timeout: Optional[float] = None,
        read_only: bool = False,
        idempotent: bool = False,
        prepare: bool = True,
    ) -> Optional[Row]:
        """Runs a statement and returns its first row, or None when there is none."""
        return row_of(self._run(sql, arguments, timeout, read_only, idempotent, prepare))

    def fetchval(
        self,
        sql: str,
        *arguments: Any,
        column: int = 0,
        timeout: Optional[float] = None,
        read_only: bool = False,
        idempotent: bool = False,
        prepare: bool = True,
    ) -> Any:
        """Runs a statement and returns one value of its first row, or None when there is none."""
        return value_of(self._run(sql, arguments, timeout, read_only, idempotent, prepare), column)

    def _run(
        self,
        sql: str,
        arguments: Sequence[Any],
        timeout: Optional[float],
        read_only: bool,
        idempotent: bool,
        prepare: bool,
    ) -> bytes:
        flags = (c.PG_READ_ONLY if read_only else 0) | (0 if prepare else c.PG_NO_PREPARE)
        with self._core.port() as port:
            done: bytes = port.wait(self._start(port, sql, arguments, flags, timeout, idempotent))
            return done

    def _start(
        self, port: Port, sql: str, arguments: Sequence[Any], flags: int, timeout: Optional[float], idempotent: bool
    ) -> int:
        return port.statement(self._send, self._handle.pointer, sql, arguments, flags, timeout, idempotent)
