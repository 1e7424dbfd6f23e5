"""Notices of one handle in the blocking face: they come on an events queue of the handle's own."""

import ctypes
import time
from typing import Callable, Generic, Optional, TypeVar

from corbel import _constants as c
from corbel import _structs
from corbel._failure import opened
from corbel._handle import Handle
from corbel._library import quick, waiting
from corbel.blocking._port import Core, slice_ms
from corbel.errors import Closed, Timeout
from corbel.events import sweep

T = TypeVar("T")
# kind, status, flags, value, epoch, object, error; None when the handle's end has come
Read = Callable[[int, int, int, int, int, int, int], Optional[T]]

_take = waiting.corbel_events_take
_size = _structs.EVENT.size


class Inbox(Generic[T]):
    """Read by any number of threads; each notice comes to one of them."""

    def __init__(self, core: Core, what: str, read: Read[T], tell: Optional[Callable[[int, int, int], bool]] = None) -> None:
        """tell(kind, value, object): takes what is no notice for a reader, and says whether it did."""
        self._core = core
        self._what = what
        self._read = read
        self._tell = tell
        self._queue = Handle(opened(quick.corbel_events_open, core.runtime.pointer, 0), quick.corbel_events_free)
        self._discarding = False
        self.closed = False

    @property
    def queue(self) -> int:
        return self._queue.pointer

    def get(self, timeout: Optional[float] = None) -> T:
        """The next notice. Raises Timeout after so many seconds, Closed at the end."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            event = ctypes.create_string_buffer(_size)
            address = ctypes.addressof(event)
            left = None if end is None else end - time.monotonic()
            wait = 0 if self.closed else slice_ms(left)
            try:
                taken = _take(self._queue.pointer, address, 1, _size, wait)
            except BaseException:  # a signal's handler raised as the call came back
                quick.corbel_event_clear(address, _size)
                raise
            if taken:
                _, _, kind, status, _, flags, value, epoch, object, error = _structs.EVENT.unpack(event)
                if self._discarding or kind == c.EVENT_MESSAGE_LOST:  # of that the message tells
                    sweep(kind, object, error)
                    continue
                if self._tell is not None and self._tell(kind, value, object):
                    continue
                notice = self._read(kind, status, flags, value, epoch, object, error)
                if notice is not None:
                    return notice
                self.close()
            elif self.closed:
                quick.corbel_events_interrupt(self._queue.pointer)  # wakes one; that one wakes the next
                raise Closed(f"the {self._what} was closed")
            else:
                self._core.check()
                if left is not None and left <= 0:
                    raise Timeout(f"nothing came from the {self._what} within {timeout} s")

    def close(self) -> None:
        """Nothing more comes: readers get what is there, then Closed."""
        self.closed = True
        quick.corbel_events_interrupt(self._queue.pointer)

    def discard(self) -> None:
        """As close, but readers get nothing more: what is there is freed. To be called again for what comes later."""
        self._discarding = self.closed = True
        event = ctypes.create_string_buffer(_size)
        for _ in range(2):  # the first 0 may be an interrupt that was meant for a reader
            while _take(self._queue.pointer, ctypes.addressof(event), 1, _size, 0):
                _, _, kind, _, _, _, _, _, object, error = _structs.EVENT.unpack(event)
                sweep(kind, object, error)
        self.close()
