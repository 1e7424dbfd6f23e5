"""Leases in the blocking face: one connection of the pool for one thread at a time."""

import threading
from types import TracebackType
from typing import Optional, Sequence, Type

from corbel._caller import Argument
from corbel._handle import Handle
from corbel._library import quick
from corbel.blocking._commands import Commands
from corbel.blocking._port import Core, Port

_conn_send = quick.corbel_redis_conn_send
_release = quick.corbel_redis_conn_release


class Lease(Commands):
    """One connection for one thread at a time. Every command is allowed but SUBSCRIBE and its kin, MONITOR, CLIENT REPLY
    and QUIT."""

    def __init__(self, core: Core, pointer: int, decode: bool) -> None:
        super().__init__(core, Handle(pointer, _release), _conn_send, decode)
        self._lock = threading.RLock()  # one thread may give it back while another starts a command

    def release(self) -> None:
        """Gives the connection back; one in an unknown state (MULTI or WATCH open ...) is discarded by the pool."""
        with self._lock:
            self._handle.free()

    def _start(
        self, port: Port, arguments: Sequence[Argument], timeout: Optional[float], idempotent: bool, text: bool
    ) -> int:
        with self._lock:
            return super()._start(port, arguments, timeout, idempotent, text)

    def __enter__(self) -> "Lease":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.release()
