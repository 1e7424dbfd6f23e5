"""What a message of a queue is, in both faces."""

import ctypes
from typing import NamedTuple, Optional, Union

from corbel import _structs
from corbel._caller import encode
from corbel._handle import Handle
from corbel._library import quick
from corbel._options import text
from corbel.errors import State

Body = Union[bytes, str]


class Item(NamedTuple):
    """One item to put: id None has the library make one."""

    body: Body
    id: Optional[str] = None


class MessageBase:
    """A leased message. Its lease is renewed until it is settled; unsettled and dropped it is handed back.

    - body: bytes; id; attempt: 1 for the first delivery; token: fencing token, which grows with every claim
    """

    def __init__(self, pointer: int) -> None:
        self._handle = Handle(pointer, quick.corbel_message_free)
        view = _structs.View()
        quick.corbel_message_body(pointer, ctypes.byref(view))
        self.body: bytes = ctypes.string_at(view.data, view.size) if view.size else b""
        self.id: str = quick.corbel_message_id(pointer).decode("utf-8", "replace")
        self.attempt: int = quick.corbel_message_attempt(pointer)
        self.token: int = quick.corbel_message_token(pointer)

    def __repr__(self) -> str:
        return f"<corbel message {self.id} attempt {self.attempt}, {len(self.body)} bytes>"

    @property
    def settled(self) -> bool:
        """Whether done, retry or hand_back was called."""
        return not self._handle.pointer

    def _take(self) -> int:
        pointer = self._handle.take()
        if not pointer:
            raise State(f"message {self.id} was settled already", source="queue")
        return pointer


def puts(*items: Union[Body, Item]) -> "ctypes.Array[_structs.Put]":
    """The array of corbel_put for items."""
    array = (_structs.Put * len(items))()
    for put, item in zip(array, items):
        body, name = (item.body, item.id) if isinstance(item, Item) else (item, None)
        encoded = encode(body)
        put.struct_size = ctypes.sizeof(_structs.Put)
        put.body = _structs.Bytes(encoded, len(encoded))
        put.id = text(name, "id")
    return array


def settlement(how: int, reason: Optional[str]) -> _structs.Settle:
    settle = _structs.sized(_structs.Settle)
    settle.how = how
    settle.reason = text(reason, "reason")
    return settle
