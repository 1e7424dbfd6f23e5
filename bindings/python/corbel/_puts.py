"""What a producer puts, in both faces."""

import ctypes
from typing import NamedTuple, Optional, Sequence, Union

from corbel import _queue_structs
from corbel._caller import encode
from corbel._message import Moment, unix_ms
from corbel._options import milliseconds, text
from corbel._structs import Bytes

Body = Union[bytes, str]

_SIZE = ctypes.sizeof(_queue_structs.Put)


class Item(NamedTuple):
    """One item to put.

    - id: None has the library make one; at most 128 bytes
    - lane: one of the queue's; None: the first
    - group: messages of one group run one at a time, in order; at most 128 bytes
    - idempotency_key: what was put with it within the window is not put again; at most 256 bytes
    - delay: seconds, or not_before: Unix seconds or an aware datetime: it is not claimed before, by the server's clock, and
      by idle consumers up to a second later
    """

    body: Body
    id: Optional[str] = None
    lane: Optional[str] = None
    group: Optional[str] = None
    idempotency_key: Optional[str] = None
    delay: Optional[float] = None
    not_before: Optional[Moment] = None


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
            item = item.body
        encoded = encode(item)
        put.body = Bytes(encoded, len(encoded))
    return array
