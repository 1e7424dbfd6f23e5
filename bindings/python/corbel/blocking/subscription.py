"""Subscriptions in the blocking face."""

import ctypes
import threading
from types import TracebackType
from typing import Optional, Sequence, Type

from corbel import _constants as c
from corbel import _structs
from corbel._caller import encode
from corbel._failure import opened
from corbel._handle import Handle
from corbel._library import quick
from corbel._options import Text
from corbel._reply import thread_decoder
from corbel.blocking._inbox import Inbox
from corbel.blocking._port import Core, Port
from corbel.errors import Closed, Error
from corbel.notice import Notice, read_notice

_change = quick.corbel_sub_change


class Subscription:
    """Channels and patterns that are wanted by name, kept over reconnects. Made by ``redis.subscribe()``.

        with r.subscribe("news") as sub:                # the server has confirmed
            sub.add("sports", patterns=["job:*"])
            for note in sub:                            # ends when the subscription is closed, by any thread
                if note.kind == "message": print(note.channel, note.payload)
                else: ...                               # "gap", then "resubscribed": read again what may have been missed

    ``for note in r.subscribe("news")`` does the same in one line; it closes with the last reference.
    """

    def __init__(
        self,
        core: Core,
        pool: Handle,
        channels: Sequence[Text],
        patterns: Sequence[Text],
        max_notices: int,
        decode: bool,
    ) -> None:
        self._core = core
        self._wanted = (channels, patterns)
        self._started = False
        self._lock = threading.RLock()

        def read(kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int) -> Optional[Notice]:
            return read_notice(thread_decoder(), decode, kind, status, flags, value, epoch, object, error)

        self._inbox: Inbox[Notice] = Inbox(core, "subscription", read)
        options = _structs.sized(_structs.SubOptions)
        options.max_notices = max_notices
        options.to = self._inbox.queue
        self._handle = Handle(opened(quick.corbel_sub_open, pool.pointer, ctypes.byref(options)), quick.corbel_sub_free)

    def add(self, *channels: Text, patterns: Sequence[Text] = (), timeout: Optional[float] = None) -> None:
        """Wants more names; done when the server has confirmed them all. A name that fails is not wanted."""
        self._all(c.SUB_CHANNEL, channels, c.SUB_PATTERN, patterns, timeout)

    def remove(self, *channels: Text, patterns: Sequence[Text] = (), timeout: Optional[float] = None) -> None:
        """Leaves names; done when the server has confirmed."""
        self._all(c.SUB_LEAVE_CHANNEL, channels, c.SUB_LEAVE_PATTERN, patterns, timeout)

    def get(self, timeout: Optional[float] = None) -> Notice:
        """The next notice. Raises Timeout after so many seconds, Closed when the subscription was closed."""
        if not self._started:
            self._start()
        return self._inbox.get(timeout)

    def close(self) -> None:
        """Leaves all names. Readers get what is there, then their loops end."""
        with self._lock:
            self._handle.free()
        self._inbox.close()

    def _start(self) -> None:
        self._started = True
        try:
            self.add(*self._wanted[0], patterns=self._wanted[1])
        except BaseException:
            self._started = False
            raise

    def _all(
        self, change: int, names: Sequence[Text], change_patterns: int, patterns: Sequence[Text], timeout: Optional[float]
    ) -> None:
        problem: Optional[Error] = None
        with self._core.port() as port:
            for how, wanted in ((change, names), (change_patterns, patterns)):
                for name in wanted:
                    try:
                        port.wait(self._ask(port, how, encode(name), timeout))
                    except Error as error:
                        problem = problem or error
        if problem is not None:
            raise problem

    def _ask(self, port: Port, how: int, name: bytes, timeout: Optional[float]) -> int:
        with self._lock:
            if not self._handle.pointer:
                raise Closed("the subscription was closed")
            return port.start(_change(self._handle.pointer, how, name, len(name), port.call(timeout), port.ticket_to))

    def end(self) -> None:
        """For the pool: nothing more comes."""
        self._inbox.close()

    def __iter__(self) -> "Subscription":
        return self

    def __next__(self) -> Notice:
        try:
            return self.get()
        except Closed:
            raise StopIteration from None

    def __enter__(self) -> "Subscription":
        self._start()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()
