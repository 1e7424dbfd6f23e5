"""The health monitor of a pool in the blocking face."""

import ctypes
import threading
from itertools import count
from types import TracebackType
from typing import Callable, Dict, Optional, Type

from corbel import _structs
from corbel._failure import opened
from corbel._handle import Handle
from corbel._library import quick
from corbel._options import milliseconds
from corbel.blocking._inbox import Inbox
from corbel.blocking._port import Core
from corbel.blocking._watcher import Watcher
from corbel.errors import Closed
from corbel.state import RedisState, StateChange, read_change

Listener = Callable[[StateChange], object]


def _read(kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int) -> Optional[StateChange]:
    return read_change(kind, status, value, epoch, error)


class Monitor:
    """Tells when the server is lost, reached again, and when every subscription is confirmed again. Driven by the
    connections' real errors and by overdue PINGs; a full pool is not down. Made by ``redis.monitor()``.

        with r.monitor() as monitor:
            for change in monitor: print(change.state.name, change.epoch, change.why)
    """

    def __init__(self, core: Core, pool: Handle, ping: Optional[float], overdue: Optional[float]) -> None:
        self._core = core
        self._pool = pool
        self._ping = ping
        self._overdue = overdue
        self._watchers: Dict[int, Watcher[StateChange]] = {}
        self._monitors: Dict[int, Handle] = {}
        self._ids = count(1)
        self._lock = threading.RLock()
        self._inbox: Inbox[StateChange] = Inbox(core, "monitor", _read)
        self._handle = self._open(self._inbox)

    @property
    def state(self) -> RedisState:
        """The state now; never RESUBSCRIBED."""
        with self._lock:
            if not self._handle.pointer:
                raise Closed("the monitor was closed")
            return RedisState(quick.corbel_monitor_state(self._handle.pointer))

    def listen(self, callback: Listener) -> int:
        """Has a function called at every change, and with the present state at once when it is known, on a Python thread
        of its own; returns the listener's number. The changes still come to readers too."""
        with self._lock:
            if not self._handle.pointer:
                raise Closed("the monitor was closed")
            listener = next(self._ids)
            inbox: Inbox[StateChange] = Inbox(self._core, "monitor", _read)
            self._monitors[listener] = self._open(inbox)
            self._watchers[listener] = Watcher("corbel-monitor", inbox, callback)
            return listener

    def unlisten(self, listener: int) -> bool:
        """After it returns the listener is not called any more. False when there was none of that number."""
        with self._lock:
            watcher, monitor = self._watchers.pop(listener, None), self._monitors.pop(listener, None)
        if watcher is None or monitor is None:
            return False
        monitor.free()
        watcher.close()
        return True

    def get(self, timeout: Optional[float] = None) -> StateChange:
        """The next change; a slow reader gets the latest. Raises Timeout after so many seconds, Closed when the monitor
        was closed."""
        return self._inbox.get(timeout)

    def close(self) -> None:
        """Ends it: readers get what is there, then their loops end; listeners are called no more."""
        with self._lock:
            self._handle.free()
        for listener in list(self._watchers):
            self.unlisten(listener)
        self._inbox.close()

    def _open(self, inbox: Inbox[StateChange]) -> Handle:
        options = _structs.sized(_structs.MonitorOptions)
        options.ping_ms = milliseconds(self._ping, "ping")
        options.overdue_ms = milliseconds(self._overdue, "overdue")
        options.to = inbox.queue
        pointer = opened(quick.corbel_monitor_open, self._pool.pointer, ctypes.byref(options))
        return Handle(pointer, quick.corbel_monitor_free)

    def end(self) -> None:
        """For the pool: nothing more comes."""
        self._inbox.close()
        for watcher in list(self._watchers.values()):
            watcher.stop()

    def __iter__(self) -> "Monitor":
        return self

    def __next__(self) -> StateChange:
        try:
            return self.get()
        except Closed:
            raise StopIteration from None

    def __enter__(self) -> "Monitor":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()
