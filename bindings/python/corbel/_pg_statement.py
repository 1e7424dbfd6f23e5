"""Statements on their way into the library: text and parameters laid out as C wants them.

The library copies its inputs before a call returns, so one piece of memory serves all calls after one another.
"""

import ctypes
import struct
from ctypes import c_char_p, c_void_p
from typing import Any, Dict, List, Sequence, Tuple

from corbel._pg_parameters import encode, encoder_of
from corbel.errors import Invalid

_SLOTS = 32
_ARENA = 16 * 1024
_MOST_TEXTS = 1024
# corbel_pg_statement: struct_size, flags, sql, params, types, formats, param_count
HEAD = struct.Struct("@IIPPPPN")


def _layout(n: int) -> struct.Struct:
    """n corbel_bytes, n types, n formats."""
    return struct.Struct("@" + "PN" * n + "I" * n + "i" * n)


_LAYOUTS = [_layout(n) for n in range(_SLOTS + 1)]


def _address_of(data: bytes) -> int:
    return ctypes.cast(c_char_p(data), c_void_p).value or 0


class StatementMemory:
    """One statement at a time; one thread at a time."""

    def __init__(self) -> None:
        self._head = ctypes.create_string_buffer(HEAD.size)
        self._head_address = ctypes.addressof(self._head)
        self._table = ctypes.create_string_buffer(_SLOTS * 24)
        self._table_address = ctypes.addressof(self._table)
        self._arena = ctypes.create_string_buffer(_ARENA)
        self._arena_view = memoryview(self._arena).cast("B")
        self._arena_address = ctypes.addressof(self._arena)
        self._texts: Dict[str, Tuple[int, bytes]] = {}
        self._kept: List[Any] = []

    def load(self, sql: str, arguments: Sequence[Any], flags: int) -> int:
        """Its address, good until the next load."""
        text = self._texts.get(sql) or self._text(sql)
        count = len(arguments)
        if not count:
            HEAD.pack_into(self._head, 0, HEAD.size, flags, text[0], 0, 0, 0, 0)
            return self._head_address
        types: List[int] = []
        formats: List[int] = []
        parts: List[bytes] = []
        cells: List[int] = []
        at = self._arena_address
        for argument in arguments:
            kind, form, data = (encoder_of(type(argument)) or encode)(argument)
            types.append(kind)
            formats.append(form)
            if data is None:
                cells += (0, 0)
                continue
            size = len(data)
            cells += (at, size)
            parts.append(data)
            at += size
        joined = b"".join(parts)
        if self._kept:
            self._kept.clear()
        if len(joined) <= _ARENA:
            self._arena_view[: len(joined)] = joined
        else:
            moved = _address_of(joined) - self._arena_address
            cells[::2] = [address + moved if address else 0 for address in cells[::2]]
            self._kept.append(joined)
        if count <= _SLOTS:
            table = self._table_address
            _LAYOUTS[count].pack_into(self._table, 0, *cells, *types, *formats)
        else:
            made = ctypes.create_string_buffer(_layout(count).pack(*cells, *types, *formats))
            table = ctypes.addressof(made)
            self._kept.append(made)
        HEAD.pack_into(
            self._head, 0, HEAD.size, flags, text[0], table, table + 16 * count, table + 20 * count, count
        )
        return self._head_address

    def _text(self, sql: str) -> Tuple[int, bytes]:
        encoded = sql.encode()
        if b"\0" in encoded:
            raise Invalid("the statement holds a NUL", source="postgres")
        if len(self._texts) >= _MOST_TEXTS:
            self._texts.clear()
        kept = self._texts[sql] = (_address_of(encoded), encoded)
        return kept
