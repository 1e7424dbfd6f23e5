"""Parameters of statements: from Python values to what PostgreSQL reads.

A value's own type decides: bool, int (the smallest of int4, int8, numeric that holds it), float, bytes, UUID, date, datetime
(timestamptz when it is aware, else timestamp) and timedelta go as binary with their type; Decimal and time as text with
their type; str and JSON as text whose type the server infers from the statement; a list as an array of its elements' type.
"""

import json
import struct
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple
from uuid import UUID

from corbel.errors import Invalid

# oid (0: inferred), format (1: binary), bytes (None: NULL)
Encoded = Tuple[int, int, Optional[bytes]]


class Json(NamedTuple):
    """A parameter that is JSON, where a list would be an array: ``Json([1, 2])``. A dict is JSON by itself."""

    value: Any


_int4 = struct.Struct(">i").pack
_int8 = struct.Struct(">q").pack
_float8 = struct.Struct(">d").pack
_interval = struct.Struct(">qii").pack
_NAIVE = datetime(2000, 1, 1)
_AWARE = _NAIVE.replace(tzinfo=timezone.utc)
_FIRST_DAY = _NAIVE.toordinal()
_MICROSECOND = timedelta(microseconds=1)


def _of_int(value: int) -> Encoded:
    if -0x80000000 <= value <= 0x7FFFFFFF:
        return 23, 1, _int4(value)
    if -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
        return 20, 1, _int8(value)
    return 1700, 0, b"%d" % value


def _of_datetime(value: datetime) -> Encoded:
    if value.tzinfo is None:
        return 1114, 1, _int8((value - _NAIVE) // _MICROSECOND)
    return 1184, 1, _int8((value - _AWARE) // _MICROSECOND)


def _of_timedelta(value: timedelta) -> Encoded:
    return 1186, 1, _interval(value.seconds * 1_000_000 + value.microseconds, value.days, 0)


def _of_list(value: Any) -> Encoded:
    return _ARRAYS.get(_element_type(value), 0), 0, text_of(value).encode()


_ENCODERS: Dict[type, Callable[[Any], Encoded]] = {
    type(None): lambda _: (0, 0, None),
    bool: lambda v: (16, 1, b"\1" if v else b"\0"),
    int: _of_int,
    float: lambda v: (701, 1, _float8(v)),
    str: lambda v: (0, 0, v.encode()),
    bytes: lambda v: (17, 1, v),
    bytearray: lambda v: (17, 1, bytes(v)),
    memoryview: lambda v: (17, 1, bytes(v)),
    Decimal: lambda v: (1700, 0, str(v).encode()),
    UUID: lambda v: (2950, 1, v.bytes),
    datetime: _of_datetime,
    date: lambda v: (1082, 1, _int4(v.toordinal() - _FIRST_DAY)),
    time: lambda v: (1266 if v.tzinfo else 1083, 0, v.isoformat().encode()),
    timedelta: _of_timedelta,
    dict: lambda v: (0, 0, json.dumps(v).encode()),
    Json: lambda v: (0, 0, json.dumps(v.value).encode()),
    list: _of_list,
    tuple: _of_list,
}
encoder_of = _ENCODERS.get

# An element's type -> its array's.
_ARRAYS = {16: 1000, 17: 1001, 20: 1016, 23: 1007, 25: 1009, 701: 1022, 1082: 1182, 1083: 1183, 1114: 1115, 1184: 1185,
           1186: 1187, 1266: 1270, 1700: 1231, 2950: 2951, 3802: 3807}  # fmt: skip


def encode(value: Any) -> Encoded:
    """A value whose type is none of the above itself, but derives from one."""
    for kind in type(value).__mro__[1:]:
        encoder = _ENCODERS.get(kind)
        if encoder is not None:
            return encoder(value)
    raise TypeError(f"a parameter is {type(value).__name__}; give what a column can hold, or its text")


def _element_type(values: Any) -> int:
    """The one type of all elements at any depth; 0: there is none but NULL."""
    found = 0
    for value in values:
        if value is None:
            continue
        if isinstance(value, (list, tuple)) and not isinstance(value, Json):
            kind = _element_type(value)
        else:
            kind = (encoder_of(type(value)) or encode)(value)[0]
            kind = kind or (3802 if isinstance(value, (dict, Json)) else 25)
        wide = {found, kind} <= {0, 20, 23, 1700}
        if found and kind and found != kind and not wide:
            raise Invalid("the elements of an array are of different types", source="postgres")
        found = max(found, kind, key=(0, 23, 20, 1700).index) if wide else found or kind
    return found


def text_of(value: Any) -> str:
    """A value that is not None as PostgreSQL reads it in text format."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "\\x" + bytes(value).hex()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value.days} days {value.seconds * 1_000_000 + value.microseconds} microseconds"
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, Json):
        return json.dumps(value.value)
    if isinstance(value, (list, tuple)):
        return "{" + ",".join(map(_element, value)) + "}"
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    raise TypeError(f"a value is {type(value).__name__}; give what a column can hold, or its text")


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, (list, tuple)) and not isinstance(value, Json):
        return text_of(value)
    return '"' + text_of(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


_COPY_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_line(row: Any) -> str:
    """One row for COPY ... FROM STDIN in its default text format."""
    return "\t".join("\\N" if v is None else text_of(v).translate(_COPY_ESCAPES) for v in row) + "\n"
