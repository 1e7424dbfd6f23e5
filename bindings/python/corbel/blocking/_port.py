"""How a thread of the blocking face waits: on a small events queue of its own.

There is no pump thread and nothing is shared between threads, so no call of one thread ever waits for another to be woken
first: a thread starts its call, gives Python's lock away, and is woken by the library when its own event is there. The
queue goes with the thread.
"""

import ctypes
import os
import threading
import time
from typing import Any, Callable, Optional

from corbel import _structs
from corbel._caller import Caller
from corbel._failure import opened, received
from corbel._handle import Handle
from corbel._library import quick, waiting
from corbel.errors import Closed, Forked, Timeout
from corbel.events import sweep

_take = waiting.corbel_events_take
_unpack = _structs.EVENT.unpack
_size = _structs.EVENT.size
_NOTHING = bytes(_size)

# A signal's handler runs only when Python's main thread comes back from the library, so there it comes back this often.
_MAIN_SLICE_MS = 100
_SLICE_MS = 60_000
_BUSY_SLICE_MS = 20


def slice_ms(left: Optional[float] = None) -> int:
    """How long one wait inside the library may last: so many seconds at most."""
    most = _MAIN_SLICE_MS if threading.current_thread() is threading.main_thread() else _SLICE_MS
    return most if left is None else max(0, min(most, int(left * 1000) + 1))


class Core:
    """A runtime as all handles of the blocking face share it."""

    def __init__(self, runtime: Handle) -> None:
        self.runtime = runtime
        self.process = os.getpid()
        self.closed = False
        self._threads = threading.local()

    def check(self) -> None:
        if os.getpid() != self.process:
            raise Forked("the runtime was opened before the fork; open one in this process", source="runtime")
        if self.closed:
            raise Closed("the runtime was shut down", source="runtime")

    def port(self) -> "Port":
        """The calling thread's port; a new one inside a signal handler that interrupted the use of it."""
        port: Optional[Port] = getattr(self._threads, "port", None)
        if port is None or port.busy:
            self.check()
            made = Port(self)
            if port is None:
                self._threads.port = made
            return made
        return port


class Port(Caller):
    """Starts calls and waits for them, on one thread: ``with core.port() as port``, then start and wait."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.busy = False
        self._queue = Handle(opened(quick.corbel_events_open, core.runtime.pointer, 0), quick.corbel_events_free)
        super().__init__(self._queue.pointer)
        self._buffer = ctypes.create_string_buffer(_size)
        self._address = ctypes.addressof(self._buffer)
        self._view = memoryview(self._buffer).cast("B")
        self._slice = slice_ms()

    def __enter__(self) -> "Port":
        self.busy = True
        return self

    def __exit__(self, *_: object) -> None:
        self.busy = False

    def wait(
        self,
        ticket: int,
        cancel: bool = True,
        meanwhile: Optional[Callable[[], object]] = None,
        timeout: Optional[float] = None,
    ) -> Any:
        """The result of a call: a reply decoded, a lease's address, a value; or its exception. When a signal's handler
        raises meanwhile, as Ctrl-C does, the call is ended, unless told otherwise, and its event swept later; so it is after
        a time-out, for calls that have none of their own. A function given as meanwhile is called again and again."""
        slice_for = _BUSY_SLICE_MS if meanwhile else self._slice
        end = None if timeout is None else time.monotonic() + timeout
        try:
            while True:
                self._view[:] = _NOTHING
                left = slice_for if end is None else min(slice_for, int((end - time.monotonic()) * 1000) + 1)
                if _take(self._queue.pointer, self._address, 1, _size, max(0, left)):
                    its, user, kind, status, _, _, value, _, object, error = _unpack(self._buffer)
                    if its == ticket:
                        break
                    sweep(kind, object, error)  # of a call that was interrupted
                else:
                    self.core.check()
                    if left <= 0:
                        raise Timeout(f"it did not end within {timeout} s")
                if meanwhile:
                    meanwhile()
        except BaseException:
            quick.corbel_event_clear(self._address, _size)
            if cancel:
                quick.corbel_cancel(self.core.runtime.pointer, ticket)
            raise
        if status:
            raise received(error, status)
        return self.outcome(kind, user, value, object)
