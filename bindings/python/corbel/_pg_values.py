"""Values of results: from the bytes of a packed result to Python values, by column type.

bool, int, float, Decimal (numeric), str, bytes (bytea), UUID, date, time, datetime (timestamptz aware and in UTC; timestamp
naive), timedelta (a month of an interval counts as 30 days, a year as 365), json and jsonb as what json.loads gives, arrays
as lists. infinity is date.max, datetime.max, -infinity their min. Every other type comes as str, as the server writes it.
"""

import json
import struct
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, Callable, Dict, List, Optional
from uuid import UUID

from corbel.errors import Invalid

Decode = Callable[[bytes], Any]

# Types of one size: how struct reads them.
FIXED: Dict[int, str] = {16: "?", 21: "h", 23: "i", 20: "q", 26: "I", 700: "f", 701: "d"}

_int4 = struct.Struct(">i").unpack
_int8 = struct.Struct(">q").unpack
_interval = struct.Struct(">qii").unpack
_NAIVE = datetime(2000, 1, 1)
_AWARE = _NAIVE.replace(tzinfo=timezone.utc)
_FIRST_DAY = _NAIVE.toordinal()


def _fixed(letter: str) -> Decode:
    unpack = struct.Struct(">" + letter).unpack

    def decode(data: bytes) -> Any:
        return unpack(data)[0]

    return decode


def _out_of_range(what: str) -> Invalid:
    return Invalid(f"Python's {what} does not reach a value: cast it to text in the statement", source="postgres")


def _date(data: bytes) -> date:
    days = _int4(data)[0]
    if abs(days) >= 0x7FFFFFFF:
        return date.max if days > 0 else date.min
    try:
        return date.fromordinal(_FIRST_DAY + days)
    except (ValueError, OverflowError):
        raise _out_of_range("date") from None


def _datetime(epoch: datetime) -> Decode:
    def decode(data: bytes) -> datetime:
        count = _int8(data)[0]
        if abs(count) >= 0x7FFFFFFFFFFFFFFF:
            return (datetime.max if count > 0 else datetime.min).replace(tzinfo=epoch.tzinfo)
        try:
            return epoch + timedelta(microseconds=count)
        except OverflowError:
            raise _out_of_range("datetime") from None

    return decode


def _timedelta(data: bytes) -> timedelta:
    microseconds, days, months = _interval(data)
    years, rest = divmod(abs(months), 12)
    of_months = 365 * years + 30 * rest
    return timedelta(days=days + (of_months if months > 0 else -of_months), microseconds=microseconds)


def _time(data: bytes) -> time:
    text = data.decode()
    if text.startswith("24"):
        raise _out_of_range("time")
    clock, _, fraction = text.partition(".")
    hours, minutes, seconds = clock.split(":")
    return time(int(hours), int(minutes), int(seconds), int(fraction.ljust(6, "0")))


_BINARY: Dict[int, Decode] = {oid: _fixed(letter) for oid, letter in FIXED.items()}
_BINARY.update({
    17: bytes,
    1082: _date,
    1114: _datetime(_NAIVE),
    1184: _datetime(_AWARE),
    1186: _timedelta,
    2950: lambda data: UUID(bytes=bytes(data)),
})  # fmt: skip
_TEXT: Dict[int, Decode] = {
    114: json.loads,
    1083: _time,
    1700: lambda data: Decimal(data.decode()),
    3802: json.loads,
}


def _str(data: bytes) -> str:
    return data.decode()


def _array(data: bytes) -> List[Any]:
    dimensions, _, element = struct.unpack_from(">iiI", data)
    if not dimensions:
        return []
    decode: Decode = _BINARY.get(element, _TEXT.get(element, _str))
    sizes = [size for size, _ in struct.iter_unpack(">ii", data[12 : 12 + 8 * dimensions])]
    at = 12 + 8 * dimensions
    values: List[Any] = []
    while at < len(data):
        size = _int4(data[at : at + 4])[0]
        at += 4
        if size < 0:
            values.append(None)
        else:
            values.append(decode(data[at : at + size]))
            at += size
    for size in reversed(sizes[1:]):
        values = [values[i : i + size] for i in range(0, len(values), size)]
    return values


def decoder_of(oid: int, is_binary: bool) -> Decode:
    """What decodes a column of that type which came in that form."""
    if not is_binary:
        return _TEXT.get(oid, _str)
    return _BINARY.get(oid, _array)


def letter_of(oid: int, is_binary: bool) -> Optional[str]:
    """How struct reads the column's values, when they all have one size."""
    return FIXED.get(oid) if is_binary else None
