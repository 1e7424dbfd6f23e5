"""What the options of calls and handles become in C: seconds to milliseconds, text to bytes, names to structs."""

import math
from typing import Optional, Union

from corbel import _structs
from corbel.errors import Invalid

Text = Union[str, bytes]


def milliseconds(seconds: Optional[float], what: str = "timeout") -> int:
    """None: the default (0). ``math.inf``: no limit (-1). Anything else is rounded up to at least 1 ms."""
    if seconds is None:
        return 0
    if seconds == math.inf:
        return -1
    if not seconds >= 0:
        raise Invalid(f"{what} is {seconds!r}; give seconds, math.inf for no limit, or None for the default")
    return max(1, math.ceil(seconds * 1000))


def text(value: Optional[str], what: str) -> Optional[bytes]:
    """UTF-8 without NUL, for C reads up to it."""
    if value is None:
        return None
    encoded = value.encode()
    if b"\0" in encoded:
        raise Invalid(f"{what} holds a NUL")
    return encoded


def redis_options(
    url: str,
    *,
    kind: Optional[str],
    max_size: int,
    max_waiting: int,
    tls_ca: Optional[str],
    tls_cert: Optional[str],
    tls_key: Optional[str],
    tls_name: Optional[str],
    connect_timeout: Optional[float],
    call_timeout: Optional[float],
    idle_ping: Optional[float],
    lifetime: Optional[float],
    idle: Optional[float],
    max_reply_bytes: int,
    max_reply_elements: int,
    max_reply_depth: int,
    max_connecting: int,
    busy_poll: Optional[float],
) -> _structs.RedisOptions:
    o = _structs.sized(_structs.RedisOptions)
    o.url = text(url, "url")
    o.kind = text(kind, "kind")
    o.max_size = max_size
    o.max_waiting = max_waiting
    o.tls_ca = text(tls_ca, "tls_ca")
    o.tls_cert = text(tls_cert, "tls_cert")
    o.tls_key = text(tls_key, "tls_key")
    o.tls_name = text(tls_name, "tls_name")
    o.connect_ms = milliseconds(connect_timeout, "connect_timeout")
    o.call_ms = milliseconds(call_timeout, "call_timeout")
    o.idle_ping_ms = milliseconds(idle_ping, "idle_ping")
    o.lifetime_ms = milliseconds(lifetime, "lifetime")
    o.idle_ms = milliseconds(idle, "idle")
    o.max_reply_bytes = max_reply_bytes
    o.max_reply_elements = max_reply_elements
    o.max_reply_depth = max_reply_depth
    o.max_connecting = max_connecting
    o.busy_poll_us = 0 if busy_poll is None else round(busy_poll * 1e6) or -1
    return o
