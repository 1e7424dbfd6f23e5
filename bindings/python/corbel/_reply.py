"""Replies of the server, turned into Python values: bytes (or str), int, None, lists of them, :class:`corbel.Refused`."""

import ctypes
import threading
from ctypes import string_at
from typing import Any, Iterable, List, Optional, Tuple

from corbel import _constants as c
from corbel import _structs
from corbel._library import quick
from corbel.errors import Refused

_records = quick.corbel_reply_records
_free = quick.corbel_reply_free
_first = _structs.RECORD.unpack_from
_each = _structs.RECORD.size
_ROOM = 1024

# bytes (str when decoding was asked for), int, None, a list of them; within a list also a Refused, where the server
# answered one command of several with an error.
Reply = Any


class Decoder:
    """Decodes replies into values with one call per reply. One thread at a time."""

    def __init__(self) -> None:
        self._buffer = ctypes.create_string_buffer(_ROOM * _each)
        self._address = ctypes.addressof(self._buffer)
        self._view = memoryview(self._buffer)

    def take(self, reply: int, text: bool) -> Reply:
        """The value of a reply, which is freed; text: strings as str (UTF-8)."""
        if not reply:
            return None
        try:
            count = _records(reply, self._address, _ROOM, _each)
            if count > 1:
                return self._tree(reply, count, text)
            kind, _, value, data = _first(self._buffer)
            if kind == c.NODE_STRING and not text:
                return string_at(data, value)
            return _leaf(kind, value, data, text)
        finally:
            _free(reply)

    def _tree(self, reply: int, count: int, text: bool) -> Reply:
        if count <= _ROOM:
            return _grow(_structs.RECORD.iter_unpack(self._view[: count * _each]), text)
        buffer = ctypes.create_string_buffer(count * _each)
        _records(reply, ctypes.addressof(buffer), count, _each)
        return _grow(_structs.RECORD.iter_unpack(memoryview(buffer)), text)


def _leaf(kind: int, value: int, data: int, text: bool) -> Reply:
    if kind == c.NODE_INTEGER:
        return value
    if kind == c.NODE_NIL:
        return None
    if kind == c.NODE_ARRAY:
        return []
    found = string_at(data, value)
    if kind == c.NODE_ERROR:
        line = found.decode("utf-8", "replace")
        return Refused(line, source="redis", native=line.split(" ", 1)[0])
    return found.decode() if text else found


def _grow(records: Iterable[Tuple[Any, ...]], text: bool) -> Reply:
    """Builds the tree from its nodes in pre-order, without recursion: open[d] is the list that nodes of depth d go into."""
    root: List[Any] = []
    open_lists = [root]
    for kind, depth, value, data in records:
        if kind == c.NODE_STRING and not text:
            open_lists[depth].append(string_at(data, value))
            continue
        item = _leaf(kind, value, data, text)
        open_lists[depth].append(item)
        if kind == c.NODE_ARRAY:
            del open_lists[depth + 1 :]
            open_lists.append(item)
    return root[0]


_threads = threading.local()


def thread_decoder() -> Decoder:
    """The calling thread's decoder."""
    decoder: Optional[Decoder] = getattr(_threads, "decoder", None)
    if decoder is None:
        decoder = _threads.decoder = Decoder()
    return decoder
