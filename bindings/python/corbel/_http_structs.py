"""The C structs of corbel/c/http.h. A test compares them with what the C compiler says."""

import ctypes
from ctypes import c_char_p, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Optional

from corbel import _constants as c
from corbel import _structs
from corbel._options import milliseconds, text


class HttpOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("address", c_char_p),
        ("port", c_uint32),
        ("max_connections", c_uint32),
        ("tls_cert", c_char_p),
        ("tls_key", c_char_p),
        ("max_header_bytes", c_uint64),
        ("max_body_bytes", c_uint64),
        ("idle_ms", c_int64),
        ("read_ms", c_int64),
        ("answer_ms", c_int64),
        ("to", c_void_p),
        ("user", c_uint64),
    ]


class HttpAnswer(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("status", c_uint32),
        ("reserved", c_uint32),
        ("content_type", c_char_p),
        ("body", _structs.Bytes),
        ("fields", c_void_p),
        ("n", c_size_t),
        ("each", c_size_t),
    ]


def http_options(
    address: str,
    port: int,
    *,
    share_port: bool,
    tls_cert: Optional[str],
    tls_key: Optional[str],
    max_connections: int,
    max_header_bytes: int,
    max_body_bytes: int,
    idle: Optional[float],
    read_timeout: Optional[float],
    answer_timeout: Optional[float],
) -> HttpOptions:
    o = _structs.sized(HttpOptions)
    o.flags = c.HTTP_SHARE_PORT if share_port else 0
    o.address = text(address, "address")
    o.port, o.max_connections = port, max_connections
    o.tls_cert, o.tls_key = text(tls_cert, "tls_cert"), text(tls_key, "tls_key")
    o.max_header_bytes, o.max_body_bytes = max_header_bytes, max_body_bytes
    o.idle_ms = milliseconds(idle, "idle")
    o.read_ms = milliseconds(read_timeout, "read_timeout")
    o.answer_ms = milliseconds(answer_timeout, "answer_timeout")
    return o
