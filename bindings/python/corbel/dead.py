"""What an inspector finds: the figures of a queue, and its dead messages, in both faces."""

import ctypes
import json
from typing import Iterable, List, NamedTuple, Optional, Tuple, Union

from corbel import _queue_structs
from corbel._library import quick
from corbel.log import take_bytes

_string_at = ctypes.string_at


class LaneStats(NamedTuple):
    """One lane: name ("" on a queue without lanes), ready messages, in flight (platform only), and the age in seconds of the
    message that is claimed next."""

    name: str
    ready: int
    in_flight: int
    oldest_age: float


class QueueStats(NamedTuple):
    """What a queue holds now. parked: wait for others of their group; oldest_age: seconds, of the message that is claimed
    next; 0.0: there is none."""

    ready: int
    in_flight: int
    delayed: int
    parked: int
    dead: int
    oldest_age: float
    lanes: Tuple[LaneStats, ...]


class FailedAttempt(NamedTuple):
    """One attempt that did not end well: when (Unix seconds), by which consumer, and what its settlement said, or that the
    lease ended."""

    attempt: int
    at: float
    by: str
    reason: str


class DeadMessage(NamedTuple):
    """One message of the dead list. number: names it there; died_at: Unix seconds; history: the newest 25 attempts."""

    number: int
    id: str
    body: bytes
    lane: str
    group: str
    reason: str
    attempts: int
    died_at: float
    history: Tuple[FailedAttempt, ...]


class DeadPage(NamedTuple):
    """A page of the dead list, the longest dead first. next: to be given as ``after`` for the next page; None: the last."""

    messages: Tuple[DeadMessage, ...]
    next: Optional[int]


def take_stats(text: int) -> QueueStats:
    """The figures of an event's text, which is freed."""
    table = json.loads(take_bytes(text))
    lanes = [LaneStats(lane["name"], lane["ready"], lane["in_flight"], lane["oldest_age"] / 1000) for lane in table["lanes"]]
    ready, in_flight, delayed, parked, dead = (table[name] for name in ("ready", "in_flight", "delayed", "parked", "dead"))
    return QueueStats(ready, in_flight, delayed, parked, dead, table["oldest_age"] / 1000, tuple(lanes))


def take_page(page: int) -> DeadPage:
    """The page of an event, which is freed."""
    try:
        messages = tuple(_message(page, i) for i in range(quick.corbel_dead_count(page)))
        return DeadPage(messages, quick.corbel_dead_next(page) or None)
    finally:
        quick.corbel_dead_free(page)


def numbers_of(messages: Optional[Iterable[Union[int, DeadMessage]]]) -> "Optional[ctypes.Array[ctypes.c_uint64]]":
    """None: all of them."""
    if messages is None:
        return None
    numbers: List[int] = [m.number if isinstance(m, DeadMessage) else m for m in messages]
    return (ctypes.c_uint64 * len(numbers))(*numbers)


def _message(page: int, i: int) -> DeadMessage:
    record = _queue_structs.DEAD_RECORD
    buffer = ctypes.create_string_buffer(record.size)
    quick.corbel_dead_at(page, i, ctypes.addressof(buffer), record.size)
    cells = record.unpack_from(buffer)
    id, body, lane, group, reason = (_string_at(cells[at], cells[at + 1]) for at in range(0, 10, 2))
    number, died_ms, attempts, count = cells[10:]
    history = tuple(_attempt(page, i, attempt) for attempt in range(count))
    died_at = died_ms / 1000
    return DeadMessage(number, _text(id), body, _text(lane), _text(group), _text(reason), attempts, died_at, history)


def _attempt(page: int, i: int, attempt: int) -> FailedAttempt:
    record = _queue_structs.DEAD_ATTEMPT
    buffer = ctypes.create_string_buffer(record.size)
    quick.corbel_dead_attempt_at(page, i, attempt, ctypes.addressof(buffer), record.size)
    by, by_size, reason, reason_size, at_ms, number, _ = record.unpack_from(buffer)
    return FailedAttempt(number, at_ms / 1000, _text(_string_at(by, by_size)), _text(_string_at(reason, reason_size)))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
