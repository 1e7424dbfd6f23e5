"""Errors of the library, turned into exceptions."""

import ctypes
from ctypes import c_void_p
from typing import Any, Callable, Dict, Optional, Sequence

from corbel._library import quick
from corbel.errors import Error, class_of

_free = quick.corbel_error_free
# Of an error that PostgreSQL's server gave, and of a put that admission refused.
_FIELDS = {
    "postgres": ("severity", "detail", "hint", "position", "internal_position", "internal_query", "where", "schema", "table",
                 "column", "datatype", "constraint", "file", "line", "routine"),
    "queue": ("depth", "capacity", "processes", "retry_after"),
}  # fmt: skip


def describe(pointer: int, status: int) -> Error:
    """The exception of a library's error, which stays the caller's; without one, what the status alone tells."""
    kind = class_of(status)
    if not pointer:
        return kind(f"the library said {quick.corbel_status_name(status).decode()} and no more")
    source = quick.corbel_error_source(pointer).decode()
    return kind(
        quick.corbel_error_message(pointer).decode("utf-8", "replace"),
        source=source,
        native=quick.corbel_error_native(pointer).decode("utf-8", "replace"),
        flags=quick.corbel_error_flags(pointer),
        fields=_fields(pointer, _FIELDS[source]) if source in _FIELDS else None,
    )


def _fields(pointer: int, names: Sequence[str]) -> Dict[str, str]:
    found = ((name, quick.corbel_error_field(pointer, name.encode())) for name in names)
    return {name: value.decode("utf-8", "replace") for name, value in found if value is not None}


def received(pointer: int, status: int) -> Error:
    """As describe, for an error that was handed over: frees it."""
    error = describe(pointer, status)
    if pointer:
        _free(pointer)
    return error


def opened(function: Callable[..., int], *arguments: Any) -> int:
    """Calls function(*arguments, out, err), which makes an object: its address, or the exception."""
    out, err = c_void_p(), c_void_p()
    status = function(*arguments, ctypes.byref(out), ctypes.byref(err))
    if status:
        raise received(err.value or 0, status)
    return out.value or 0


def done(function: Callable[..., int], *arguments: Any) -> None:
    """Calls function(*arguments, err), which does what it says at once; raises what it says otherwise."""
    err = c_void_p()
    status = function(*arguments, ctypes.byref(err))
    if status:
        raise received(err.value or 0, status)


def failure(status: int, error: int) -> Optional[Error]:
    """The exception that a notice carries, or None; frees the error."""
    return received(error, status) if error or status else None
