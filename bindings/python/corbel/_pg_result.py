"""Results, decoded: one C call hands a whole one over as bytes, and what decodes them is kept per columns."""

import ctypes
import struct
from ctypes import string_at
from typing import Any, Dict, List, Optional, Tuple

from corbel._failure import received
from corbel._library import quick
from corbel._pg_values import decoder_of, letter_of
from corbel.row import Row, row_type

_packed = quick.corbel_pg_result_packed
_free = quick.corbel_pg_result_free
_pair = struct.Struct("@PN").unpack_from
_head = struct.Struct("@IIII").unpack_from
_column = struct.Struct("@II").unpack_from
_size = struct.Struct(">i").unpack_from
_MOST_PLANS = 1024


class Packer:
    """Takes results over as bytes. One thread at a time."""

    def __init__(self) -> None:
        self._view = ctypes.create_string_buffer(16)
        self._address = ctypes.addressof(self._view)

    def take(self, result: int) -> bytes:
        """The packed form of a result, which is freed."""
        try:
            status = _packed(result, self._address)
            if status:
                raise received(0, status)
            return string_at(*_pair(self._view))
        finally:
            _free(result)


class _Plan:
    """How rows of certain columns are read."""

    def __init__(self, head: bytes, columns: int) -> None:
        names: List[str] = []
        letters: List[Optional[str]] = []
        self.decoders = []
        at = 0
        for _ in range(columns):
            oid, form = _column(head, at)
            end = head.index(b"\0", at + 8)
            names.append(head[at + 8 : end].decode())
            at = end + 1
            self.decoders.append(decoder_of(oid, form == 1))
            letters.append(letter_of(oid, form == 1))
        self.row = row_type(names)
        fixed = [letter for letter in letters if letter is not None]
        # Each value has its size before it. A NULL would make the result shorter: the length alone tells that there is none.
        self._fixed = struct.Struct(">" + "".join("4x" + f for f in fixed)) if 0 < columns == len(fixed) else None

    def rows(self, data: bytes, at: int, count: int) -> List[Row]:
        fixed, row = self._fixed, self.row
        if fixed is not None and len(data) - at == count * fixed.size:
            return [row(values) for values in fixed.iter_unpack(memoryview(data)[at:])]
        return self.first(data, at, count)

    def first(self, data: bytes, at: int, count: int) -> List[Row]:
        """So many of the rows, one value after the other."""
        row = self.row
        rows: List[Row] = []
        for _ in range(count):
            values: List[Any] = []
            for decode in self.decoders:
                size = _size(data, at)[0]
                at += 4
                if size < 0:
                    values.append(None)
                else:
                    values.append(decode(data[at : at + size]))
                    at += size
            rows.append(row(values))
        return rows


_plans: Dict[bytes, _Plan] = {}


def _open(data: bytes) -> Tuple[_Plan, int, int]:
    """The plan, the number of rows, and where they begin."""
    count, columns, head, tag = _head(data)
    key = data[16 : 16 + head]
    plan = _plans.get(key)
    if plan is None:
        if len(_plans) >= _MOST_PLANS:
            _plans.clear()
        plan = _plans[key] = _Plan(key, columns)
    return plan, count, 16 + head + tag


def rows_of(data: bytes) -> List[Row]:
    """All rows."""
    plan, count, at = _open(data)
    return plan.rows(data, at, count)


def row_of(data: bytes) -> Optional[Row]:
    """The first row; None: there is none."""
    plan, count, at = _open(data)
    if count == 1:
        return plan.rows(data, at, 1)[0]
    return plan.first(data, at, 1)[0] if count else None


def value_of(data: bytes, column: int) -> Any:
    """One value of the first row; None: there is no row."""
    plan, count, at = _open(data)
    if not count:
        return None
    if column:
        row = row_of(data)
        return None if row is None else row[column]
    if not plan.decoders:
        return None
    size = _size(data, at)[0]
    return None if size < 0 else plan.decoders[0](data[at + 4 : at + 4 + size])


def tag_of(data: bytes) -> str:
    """The command's tag: "INSERT 0 1"."""
    _, _, head, tag = _head(data)
    return data[16 + head : 16 + head + tag].decode()


def affected_by(data: bytes) -> int:
    """Rows that the command touched, of its tag."""
    last = tag_of(data).rpartition(" ")[2]
    return int(last) if last.isdigit() else 0
