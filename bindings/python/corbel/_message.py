"""What a leased message is, and how it is settled, in both faces."""

import ctypes
from datetime import datetime
from typing import Any, Callable, Optional, TypeVar, Union

from corbel import _constants as c
from corbel import _queue_structs
from corbel._library import quick
from corbel._options import milliseconds, text
from corbel._structs import sized
from corbel.errors import Invalid

#: A moment: Unix seconds, or an aware datetime.
Moment = Union[float, datetime]
#: A function that works messages.
HandlerT = TypeVar("HandlerT", bound=Callable[..., object])

_free = quick.corbel_message_free
_view_get = quick.corbel_message_view_get
_lost = quick.corbel_message_lost
_string_at = ctypes.string_at
_size = _queue_structs.MESSAGE_VIEW.size


class Retry(Exception):
    """Raised by a handler, or in a message's ``with`` block: try the message again, after so many seconds, at a time, or by
    default after the queue's back-off. It counts as an attempt."""

    def __init__(self, reason: str = "", *, delay: Optional[float] = None, not_before: Optional[Moment] = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.delay = delay
        self.not_before = not_before


class Bury(Exception):
    """Raised by a handler, or in a message's ``with`` block: the message goes to the dead list, with this reason."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


class ViewMemory:
    """Where the library writes a message's view; one thread at a time."""

    def __init__(self) -> None:
        self._buffer = ctypes.create_string_buffer(_size)
        self._address = ctypes.addressof(self._buffer)

    def read(self, pointer: int) -> Any:
        _view_get(pointer, self._address, _size)
        return _queue_structs.MESSAGE_VIEW.unpack_from(self._buffer)


class MessageBase:
    """A leased message. Its lease is renewed until it is settled; dropped unsettled it is handed back."""

    __slots__ = {
        "_pointer": "",
        "__weakref__": "",
        "attempt": "1 for the first delivery; counted by the server.",
        "body": "The bytes that were put.",
        "group": 'Messages of one group run one at a time; "" for none.',
        "id": "As it was put, or made by the library.",
        "lane": 'The lane that it was put in; "" on a queue without lanes.',
        "put_at": "Unix seconds by the server's clock; 0.0 where it is not known.",
        "settled": "Whether done, retry, bury or hand_back was called.",
        "token": "Fencing token: grows with every claim of the queue. Give it to what the work changes elsewhere, which "
        "then refuses a smaller one than it has seen.",
    }

    def __init__(self, memory: ViewMemory, pointer: int) -> None:
        # Freed with this object and never before: whoever has it, in whatever thread, may ask the library about it.
        self._pointer = pointer
        self.settled: bool = False
        at, size, id_at, id_size, lane_at, lane_size, group_at, group_size, token, put_ms, attempt, _ = memory.read(pointer)
        self.body: bytes = _string_at(at, size) if size else b""
        self.id: str = _string_at(id_at, id_size).decode("utf-8", "replace")
        self.lane: str = _string_at(lane_at, lane_size).decode("utf-8", "replace") if lane_size else ""
        self.group: str = _string_at(group_at, group_size).decode("utf-8", "replace") if group_size else ""
        self.attempt: int = attempt
        self.token: int = token
        self.put_at: float = put_ms / 1000

    def __del__(self, _free: Callable[[int], None] = _free) -> None:
        _free(self._pointer)

    def __repr__(self) -> str:
        return f"<corbel message {self.id} attempt {self.attempt}, {len(self.body)} bytes>"

    @property
    def lost(self) -> bool:
        """Whether the lease was lost: the message is another's, and settling it does nothing. Any thread."""
        return bool(_lost(self._pointer))


def settlement(
    how: int, reason: Optional[str] = None, delay: Optional[float] = None, not_before: Optional[Moment] = None
) -> _queue_structs.Settle:
    settle = sized(_queue_structs.Settle)
    settle.how = how
    settle.reason = text(None if reason is None else reason.replace("\0", " "), "reason")
    if delay is not None:
        settle.delay_ms = milliseconds(delay, "delay") if delay > 0 else -1 if delay == 0 else _refuse(delay)
    settle.not_before_ms = unix_ms(not_before)
    return settle


def settlement_of(error: BaseException) -> _queue_structs.Settle:
    """What becomes of a message whose work ended in this exception."""
    if isinstance(error, Retry):
        return settlement(c.SETTLE_RETRY, error.reason, error.delay, error.not_before)
    if isinstance(error, Bury):
        return settlement(c.SETTLE_BURY, error.reason)
    if isinstance(error, Exception):
        return settlement(c.SETTLE_RETRY, f"{type(error).__name__}: {error}")
    return settlement(c.SETTLE_HAND_BACK)


def unix_ms(moment: Optional[Moment]) -> int:
    """None: 0. A datetime has to know its zone."""
    if moment is None:
        return 0
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise Invalid("not_before is a datetime without a zone; give datetime.now(timezone.utc) + ..., or Unix seconds")
        moment = moment.timestamp()
    return max(1, round(moment * 1000))


def _refuse(delay: float) -> int:
    raise Invalid(f"delay is {delay!r}; give seconds, 0 for at once, or None for the queue's back-off")
