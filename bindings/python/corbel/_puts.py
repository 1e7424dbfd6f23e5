"""What a producer puts, in both faces."""

import ctypes
from typing import NamedTuple, Optional, Sequence, Tuple, Union

from corbel import _queue_structs
from corbel._caller import encode
from corbel._message import Moment, unix_ms
from corbel._options import milliseconds, text
from corbel._structs import Bytes, sized

Body = Union[bytes, str]

_SIZE = ctypes.sizeof(_queue_structs.Put)


class LaneEvents(NamedTuple):
    """platform: what is written to a conversation's lane of events together with a message, all or none.

    - events: (message_id, the event as JSON, kept as it is); a record of the same id is written over
    - user: its id or fingerprint; agent: "": the platform's default one
    """

    conversation: str
    events: Sequence[Tuple[str, Union[bytes, str]]]
    user: str = ""
    agent: str = ""


class Item(NamedTuple):
    """One item to put.

    - id: None has the library make one; at most 128 bytes
    - lane: one of the queue's; None: the first
    - group: messages of one group run one at a time, in order; at most 128 bytes
    - idempotency_key: what was put with it within the window is not put again; at most 256 bytes
    - delay: seconds, or not_before: Unix seconds or an aware datetime: it is not claimed before, by the server's clock, and
      by idle consumers up to a second later
    - events: platform: events of the conversation's lane that go with it
    """

    body: Body
    id: Optional[str] = None
    lane: Optional[str] = None
    group: Optional[str] = None
    idempotency_key: Optional[str] = None
    delay: Optional[float] = None
    not_before: Optional[Moment] = None
    events: Optional[LaneEvents] = None


def puts(items: Sequence[Union[Body, Item]]) -> "ctypes.Array[_queue_structs.Put]":
    """The array of corbel_put for items."""
    array = (_queue_structs.Put * len(items))()
    for put, item in zip(array, items):
        put.struct_size = _SIZE
        if isinstance(item, Item):
            put.id = text(item.id, "id")
            put.user_type = text(item.lane, "lane")
            put.group = text(item.group, "group")
            put.idempotency_key = text(item.idempotency_key, "idempotency_key")
            put.delay_ms = milliseconds(item.delay, "delay") if item.delay else 0
            put.not_before_ms = unix_ms(item.not_before)
            if item.events is not None:
                put.events = ctypes.pointer(_lane_events(item.events))
            item = item.body
        encoded = encode(item)
        put.body = Bytes(encoded, len(encoded))
    return array


def _lane_events(given: LaneEvents) -> _queue_structs.LaneEvents:
    made = sized(_queue_structs.LaneEvents)
    made.conversation = text(given.conversation, "conversation")
    made.user = text(given.user, "user")
    made.agent = text(given.agent, "agent")
    pairs = [(encode(id), encode(record)) for id, record in given.events]
    made.events = (_queue_structs.LaneEvent * len(pairs))(
        *(_queue_structs.LaneEvent(Bytes(id, len(id)), Bytes(record, len(record))) for id, record in pairs)
    )
    made.count = len(pairs)
    return made
