"""Starting calls: what one user of one events queue needs to hand a call over with as few objects as can be.

The library copies its inputs before a call returns, so one piece of memory serves all calls after one another.
"""

import ctypes
import struct
from ctypes import c_char_p, c_uint64, c_void_p
from typing import Any, Callable, List, Optional, Sequence, Union

from corbel import _constants as c
from corbel import _structs
from corbel._failure import received
from corbel._options import Text, milliseconds
from corbel._pg_result import Packer
from corbel._pg_statement import StatementMemory
from corbel._receipt import take_receipt
from corbel._reply import Decoder
from corbel.log import take_bytes
from corbel.errors import Closed

Argument = Union[bytes, str, int, float, bytearray, memoryview]

_ARENA = 64 * 1024
_HANDLES = frozenset(
    (c.EVENT_LEASE, c.EVENT_BUDGET, c.EVENT_PG_LEASE, c.EVENT_PG_STREAM, c.EVENT_PG_COPY, c.EVENT_QUEUE_STATS, c.EVENT_DEAD,
     c.EVENT_BUNDLE)
)
_SLOTS = 32
# _pack[n] writes n corbel_bytes: address and size after one another.
_pack = [struct.Struct("@" + "PN" * n).pack_into for n in range(_SLOTS + 1)]


def encode(argument: Argument) -> bytes:
    """Text as UTF-8, numbers as Redis writes them, bytes as they are."""
    if isinstance(argument, bytes):
        return argument
    if isinstance(argument, str):
        return argument.encode()
    if isinstance(argument, bool) or not isinstance(argument, (int, float, bytearray, memoryview)):
        raise TypeError(f"an argument is {type(argument).__name__}; give bytes, str, int or float")
    if isinstance(argument, int):
        return b"%d" % argument
    if isinstance(argument, float):
        return repr(float(argument)).encode()
    return bytes(argument)


class Caller:
    """Starts calls whose events come on ``queue``. One thread at a time. Subclasses wait for the events."""

    def __init__(self, queue: int) -> None:
        self.decoder = Decoder()
        self.packer = Packer()
        self._statements: Optional[StatementMemory] = None
        self._ticket = c_uint64()
        self.ticket_to = ctypes.byref(self._ticket)
        self._refusal = c_void_p()
        self._calls = [self._call(queue, flags, user) for user in (0, 1) for flags in (0, c.CALL_IDEMPOTENT)]
        self._custom = self._call(queue, 0, 0)
        self._call_to = [ctypes.byref(call) for call in self._calls]
        self._custom_to = ctypes.byref(self._custom)
        self._receipt = self._call(queue, c.CALL_RECEIPT, 0)
        self._receipt_to = ctypes.byref(self._receipt)
        self._arena = ctypes.create_string_buffer(_ARENA)
        self._arena_view = memoryview(self._arena).cast("B")
        self._arena_address = ctypes.addressof(self._arena)
        self._argv = ctypes.create_string_buffer(_SLOTS * 16)
        self._argv_address = ctypes.addressof(self._argv)
        self._kept: List[Any] = []

    def _call(self, queue: int, flags: int, user: int) -> _structs.Call:
        call = _structs.sized(_structs.Call)
        call.flags = flags
        call.to = queue
        call.user = user
        call.err = ctypes.addressof(self._refusal)
        return call

    def detach(self) -> None:
        """For the end: calls that are started all the same must not name a queue that is gone."""
        for call in (*self._calls, self._custom, self._receipt):
            call.to = None

    def call(self, timeout: Optional[float], idempotent: bool = False, text: bool = False) -> Any:
        """The corbel_call for the next call. Its user is 1 when the reply is wanted as text."""
        if timeout is None:
            return self._call_to[idempotent + 2 * text]
        self._custom.flags = c.CALL_IDEMPOTENT if idempotent else 0
        self._custom.timeout_ms = milliseconds(timeout)
        self._custom.user = 1 if text else 0
        return self._custom_to

    def call_of(self, user: int, timeout: Optional[float]) -> Any:
        """The corbel_call for a call whose notices come to the receiver of that number."""
        self._custom.flags = 0
        self._custom.timeout_ms = milliseconds(timeout)
        self._custom.user = user
        return self._custom_to

    def receipt_call(self, timeout: Optional[float]) -> Any:
        """The corbel_call for a put."""
        self._receipt.timeout_ms = milliseconds(timeout)
        return self._receipt_to

    def call_like(self, slot: int) -> Any:
        """The corbel_call with the default time-out; slot: 1 when idempotent, 2 more when the reply is wanted as text."""
        return self._call_to[slot]

    def take_refusal(self) -> int:
        """The error that the last call was refused with, which the caller frees; 0: none."""
        refusal, self._refusal.value = self._refusal.value or 0, None
        return refusal

    def last_ticket(self) -> int:
        """The ticket of the last call, or the first one where it started many."""
        return self._ticket.value

    def load(self, arguments: Sequence[Argument]) -> int:
        """Lays arguments out as an array of corbel_bytes: its address, good until the next load."""
        parts = [a if type(a) is bytes else a.encode() if type(a) is str else encode(a) for a in arguments]
        joined = b"".join(parts)
        if len(joined) <= _ARENA:
            self._arena_view[: len(joined)] = joined
            at = self._arena_address
        else:
            self._kept.append(joined)
            at = ctypes.cast(c_char_p(joined), c_void_p).value or 0
        cells: List[int] = []
        for part in parts:
            size = len(part)
            cells += (at, size)
            at += size
        if len(parts) <= _SLOTS:
            _pack[len(parts)](self._argv, 0, *cells)
            return self._argv_address
        array = (c_uint64 * len(cells))(*cells)
        self._kept.append(array)
        return ctypes.addressof(array)

    def start(self, status: int) -> int:
        """What came of a call that was handed over with call() and ticket_to: its ticket, or the exception."""
        if self._kept:
            self._kept.clear()
        if status:
            raise received(self.take_refusal(), status)
        return self._ticket.value

    def command(
        self,
        function: Callable[..., int],
        handle: int,
        arguments: Sequence[Argument],
        timeout: Optional[float],
        idempotent: bool,
        text: bool,
    ) -> int:
        """Starts one command on a pool or a lease and returns its ticket."""
        if not handle:
            raise Closed("the handle was closed or given back")
        call = self._call_to[idempotent + 2 * text] if timeout is None else self.call(timeout, idempotent, text)
        status = function(handle, self.load(arguments), len(arguments), call, self.ticket_to)
        return self.start(status) if status or self._kept else self._ticket.value

    def script(
        self,
        function: Callable[..., int],
        handle: int,
        script: Text,
        keys: Sequence[Argument],
        arguments: Sequence[Argument],
        timeout: Optional[float],
        idempotent: bool,
        text: bool,
    ) -> int:
        """Starts a script and returns its ticket."""
        source = encode(script)
        argv = self.load((*keys, *arguments))
        call = self.call(timeout, idempotent, text)
        count = len(keys) + len(arguments)
        return self.start(
            function(handle, _structs.Bytes(source, len(source)), argv, count, len(keys), call, self.ticket_to)
        )

    def load_statement(self, sql: str, arguments: Sequence[Any], flags: int) -> int:
        """Lays a statement out as a corbel_pg_statement: its address, good until the next."""
        if self._statements is None:
            self._statements = StatementMemory()
        return self._statements.load(sql, arguments, flags)

    def statement(
        self,
        function: Callable[..., int],
        handle: int,
        sql: str,
        arguments: Sequence[Any],
        flags: int,
        timeout: Optional[float],
        idempotent: bool,
    ) -> int:
        """Starts one statement on a pool or a lease and returns its ticket."""
        if not handle:
            raise Closed("the handle was closed or given back")
        address = self.load_statement(sql, arguments, flags)
        call = self._call_to[idempotent] if timeout is None else self.call(timeout, idempotent)
        status = function(handle, address, call, self.ticket_to)
        return self.start(status) if status else self._ticket.value

    def outcome(self, kind: int, user: int, value: int, object: int) -> Any:
        """What a successful completion gives: a reply or a result decoded, the address of a handle, a value."""
        if kind == c.EVENT_RESULT:
            return self.packer.take(object)
        if kind == c.EVENT_REPLY:
            return self.decoder.take(object, user == 1)
        if kind == c.EVENT_QUEUED:
            return take_receipt(value, object)
        if kind == c.EVENT_PG_DATA or kind == c.EVENT_BUNDLE_ANSWER:
            return take_bytes(object)
        return object if kind in _HANDLES else value
