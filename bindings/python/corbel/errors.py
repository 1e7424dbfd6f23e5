"""What can go wrong: one exception class per status of the library, all of them :class:`Error`.

    try:
        await redis.execute("INCR", "k")
    except corbel.Refused as error:
        print(error.native)                 # "WRONGTYPE"
    except corbel.Error as error:
        if error.maybe_applied: ...         # the server may have carried it out
        if error.retriable: ...             # the same call may succeed later

A few classes are also what Python has for the same thing: :class:`Timeout` is a ``TimeoutError`` (and an
``asyncio.TimeoutError`` where that is another class), :class:`Lost` and :class:`Unavailable` are ``ConnectionError``,
:class:`Invalid` is a ``ValueError``.

:class:`Cancelled` is *not* ``asyncio.CancelledError``, on purpose. That one means: somebody asked this task to end, and a
task that lets it through ends silently as cancelled. The library's status means: this one call was ended from outside,
because its pool was freed or its runtime shut down. Were they the same class, shutting a runtime down would make
unrelated tasks vanish without a word, and would confuse ``asyncio.timeout`` and task groups, which count cancellations.
So a task that is cancelled while it waits for a call sees ``asyncio.CancelledError`` as always, its call is cancelled in
the library too, and the late event of the call is swept unseen.
"""

import asyncio
import sys
from typing import Dict, Mapping, Optional, Type

from corbel import _constants as c


class Error(Exception):
    """What every failure of the library is.

    - ``status``: number of the C API, such as -9
    - ``message``: one line: what happened, the numbers, what to do
    - ``source``: "redis", "postgres", "queue", "runtime", "os", "tls", "dns"
    - ``native``: code of the source, such as "WRONGTYPE", a SQLSTATE or "ECONNREFUSED"; "" for none
    - ``flags``: the bits behind ``retriable``, ``fatal`` and ``maybe_applied``
    """

    status: int = c.INTERNAL

    def __init__(
        self,
        message: str = "",
        *,
        source: str = "",
        native: str = "",
        flags: int = 0,
        fields: Optional[Mapping[str, str]] = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.source = source
        self.native = native
        self.flags = flags
        self._fields = fields or {}

    def field(self, name: str) -> Optional[str]:
        """A detail that a PostgreSQL server gave, or None: "detail", "hint", "position", "constraint", "table" ...; of a put
        that was refused: "depth", "capacity", "processes", "retry_after"."""
        return self._fields.get(name)

    def __str__(self) -> str:
        return self.message

    @property
    def retriable(self) -> bool:
        """The same call may succeed later."""
        return bool(self.flags & c.ERROR_RETRIABLE)

    @property
    def fatal(self) -> bool:
        """It will not succeed before the configuration changes."""
        return bool(self.flags & c.ERROR_FATAL)

    @property
    def maybe_applied(self) -> bool:
        """The server may have carried the request out."""
        return bool(self.flags & c.ERROR_MAYBE_APPLIED)


if sys.version_info >= (3, 11):
    _TimeoutError = TimeoutError
else:

    class _TimeoutError(TimeoutError, asyncio.TimeoutError):
        pass


class Invalid(Error, ValueError):
    """An argument is wrong; the message names it."""

    status = c.INVALID


class State(Error):
    """The call is not allowed here or now."""

    status = c.STATE


class Closed(Error):
    """The handle was closed, or its runtime was shut down."""

    status = c.CLOSED


class Forked(Error):
    """The handle was made by the parent of this process; open a runtime of this process's own."""

    status = c.FORKED


class NoMemory(Error):
    """Memory could not be had."""

    status = c.NO_MEMORY


class Busy(Error):
    """A bound was reached: the pool is exhausted, too many wait, or a queue's admission refused a put. Never an outage.

    Of a refused put ``reason`` is "hard_limit_exceeded", "queue_size_exceeded", "no_healthy_processes" ...; else ""."""

    status = c.BUSY

    @property
    def reason(self) -> str:
        """Why admission refused the put."""
        return self.native if self.source == "queue" else ""

    @property
    def depth(self) -> Optional[int]:
        """Messages of the queue, ready and in flight, when it refused the put."""
        return self._number("depth")

    @property
    def capacity(self) -> Optional[int]:
        """Messages that all processes can hold together."""
        return self._number("capacity")

    @property
    def processes(self) -> Optional[int]:
        """Processes that work the queue."""
        return self._number("processes")

    @property
    def retry_after(self) -> Optional[int]:
        """Seconds after which to come again."""
        return self._number("retry_after")

    def _number(self, name: str) -> Optional[int]:
        value = self.field(name)
        return None if value is None else int(value)


class Timeout(Error, _TimeoutError):
    """The deadline passed after the request was sent: maybe applied unless it was idempotent."""

    status = c.TIMEOUT


class Cancelled(Error):
    """The call was ended from outside: its handle was freed or its runtime shut down. Not ``asyncio.CancelledError``;
    this module's opening text tells why."""

    status = c.CANCELLED


class Lost(Error, ConnectionError):
    """The connection was lost after the request was sent: maybe applied."""

    status = c.LOST


class Refused(Error):
    """The server answered with an error; ``native`` holds its code, such as "WRONGTYPE" or a SQLSTATE."""

    status = c.REFUSED


class Unavailable(Error, ConnectionError):
    """The deadline passed before the request could be sent: nothing was applied."""

    status = c.UNAVAILABLE


class Protocol(Error):
    """The peer does not speak the protocol, or a reply passed a limit."""

    status = c.PROTOCOL


class Unsupported(Error):
    """This build or version of the library does not know it."""

    status = c.UNSUPPORTED


class Internal(Error):
    """A defect of the library; please report the message."""

    status = c.INTERNAL


_OF_STATUS: Dict[int, Type[Error]] = {kind.status: kind for kind in Error.__subclasses__()}


def class_of(status: int) -> Type[Error]:
    """The class of a status; :class:`Internal` for one that this package does not know."""
    return _OF_STATUS.get(status, Internal)
