"""LISTEN in the blocking face."""

import ctypes
from types import TracebackType
from typing import Optional, Sequence, Type

from corbel import _constants as c
from corbel import _pg_structs, _structs
from corbel._failure import opened
from corbel._handle import Handle
from corbel._library import quick
from corbel._options import text
from corbel.blocking._inbox import Inbox
from corbel.blocking._locked_handle import LockedHandle
from corbel.blocking._port import Core
from corbel.errors import Closed, Error
from corbel.notice import PgNotice, read_pg_notice

_change = quick.corbel_pg_listener_change


class Listener:
    """Channels that are listened to by name, kept over reconnects. Made by ``pool.listen()``.

        with pool.listen("news") as listener:     # the server has confirmed
            for note in listener:                 # ends when the listener is closed
                if note.kind == "message": print(note.channel, note.payload)
                else: ...                               # "gap", then "listening": read again what may have been missed
    """

    def __init__(self, core: Core, pool: Handle, channels: Sequence[str], max_notices: int) -> None:
        self._core = core
        self._wanted = channels
        self._started = False
        self._inbox: Inbox[PgNotice] = Inbox(core, "listener", read_pg_notice)
        options = _structs.sized(_pg_structs.PgListenerOptions)
        options.max_notices = max_notices
        options.to = self._inbox.queue
        pointer = opened(quick.corbel_pg_listener_open, pool.pointer, ctypes.byref(options))
        self._handle = LockedHandle(pointer, quick.corbel_pg_listener_free)

    def add(self, *channels: str, timeout: Optional[float] = None) -> None:
        """Listens to more channels; done when the server has confirmed them all. One that fails is not wanted."""
        self._all(c.PG_LISTEN, channels, timeout)

    def remove(self, *channels: str, timeout: Optional[float] = None) -> None:
        """Leaves channels; done when the server has confirmed."""
        self._all(c.PG_UNLISTEN, channels, timeout)

    def get(self, timeout: Optional[float] = None) -> PgNotice:
        """The next notice. Raises Timeout after so many seconds, Closed when the listener was closed."""
        if not self._started:
            self._start()
        return self._inbox.get(timeout)

    def close(self) -> None:
        """Leaves all channels. Readers get what is there, then their loops end."""
        self._handle.free()
        self._inbox.close()

    def end(self) -> None:
        """For the pool: nothing more comes."""
        self._inbox.close()

    def _start(self) -> None:
        self._started = True
        try:
            self.add(*self._wanted)
        except BaseException:
            self._started = False
            raise

    def _all(self, how: int, channels: Sequence[str], timeout: Optional[float]) -> None:
        problem: Optional[Error] = None
        with self._core.port() as port:
            for channel in channels:
                try:
                    name = text(channel, "channel")
                    port.wait(self._handle.start(port, _change, how, name, timeout=timeout))
                except Error as error:
                    problem = problem or error
        if problem is not None:
            raise problem

    def __iter__(self) -> "Listener":
        return self

    def __next__(self) -> PgNotice:
        try:
            return self.get()
        except Closed:
            raise StopIteration from None

    def __enter__(self) -> "Listener":
        self._start()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()
