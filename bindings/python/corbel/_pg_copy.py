"""What COPY FROM STDIN is fed with."""

from typing import Any, AsyncIterable, Iterable, Iterator, List, Union

from corbel._pg_parameters import copy_line

# bytes or str, or an iterator of bytes, str and rows; in the asyncio face it may be an asynchronous iterator.
CopySource = Union[bytes, str, Iterable[Any], AsyncIterable[Any]]

_PIECE = 64 * 1024


def pieces_of(source: Any) -> Iterator[bytes]:
    """The bytes of it all, in pieces of some 64 KiB."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield bytes(source)
        return
    if isinstance(source, str):
        yield source.encode()
        return
    parts: List[bytes] = []
    size = 0
    for item in source:
        if isinstance(item, (bytes, bytearray, memoryview)):
            part = bytes(item)
        elif isinstance(item, str):
            part = item.encode()
        else:
            part = copy_line(item).encode()
        parts.append(part)
        size += len(part)
        if size >= _PIECE:
            yield b"".join(parts)
            parts.clear()
            size = 0
    if parts:
        yield b"".join(parts)
