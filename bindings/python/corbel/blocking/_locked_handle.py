"""Handles that one thread may free while another is on its way into them."""

import threading
from typing import Any, Callable, Optional

from corbel._handle import Handle
from corbel.blocking._port import Port
from corbel.errors import Closed


class LockedHandle(Handle):
    """Freed only while no call is being started on it."""

    def __init__(self, pointer: int, free: Callable[[int], Any]) -> None:
        super().__init__(pointer, free)
        self.lock = threading.RLock()

    def free(self) -> None:
        with self.lock:
            super().free()

    def start(
        self, port: Port, function: Callable[..., int], *arguments: Any, timeout: Optional[float] = None, call: Any = None
    ) -> int:
        """Starts function(pointer, *arguments, call, ticket); its ticket. call: by default one with that time-out."""
        with self.lock:
            if not self.pointer:
                raise Closed("the handle was closed or given back")
            return port.start(function(self.pointer, *arguments, call or port.call(timeout), port.ticket_to))


def nothing() -> LockedHandle:
    """Stands for what was not opened yet."""
    return LockedHandle(0, lambda _: None)
