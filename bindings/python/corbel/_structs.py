"""The C structs that cross the boundary, as in include/corbel/c/. A test compares them with what the C compiler says.

Events and records are read with ``struct``: one call unpacks a whole batch without an object per member.
"""

import ctypes
import struct
from ctypes import c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Type, TypeVar

# corbel_event: ticket, user, kind, status, source, flags, value, epoch, object, error
EVENT = struct.Struct("@QQiiiIqQPP")
# corbel_record: kind, depth, value, data
RECORD = struct.Struct("@iIqP")
# corbel_answer: ticket, user, kind, index, value, data
ANSWER = struct.Struct("@QQiIqP")


class Bytes(ctypes.Structure):
    _fields_ = [("data", c_char_p), ("size", c_size_t)]


class View(ctypes.Structure):
    """corbel_bytes as the library hands it out: an address, for the bytes need not end with a NUL."""

    _fields_ = [("data", c_void_p), ("size", c_size_t)]


class Call(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("timeout_ms", c_int64),
        ("to", c_void_p),
        ("user", c_uint64),
        ("err", c_void_p),
    ]


class RuntimeOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("io_threads", c_uint32),
        ("log_level", c_int32),
        ("name", c_char_p),
        ("instance", c_char_p),
        ("log", c_void_p),
        ("log_user", c_void_p),
        ("log_drop", c_void_p),
    ]


class Field(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("value", Bytes)]


class RedisOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("max_size", c_uint32),
        ("max_waiting", c_uint32),
        ("url", c_char_p),
        ("kind", c_char_p),
        ("tls_ca", c_char_p),
        ("tls_cert", c_char_p),
        ("tls_key", c_char_p),
        ("tls_name", c_char_p),
        ("connect_ms", c_int64),
        ("call_ms", c_int64),
        ("idle_ping_ms", c_int64),
        ("lifetime_ms", c_int64),
        ("max_reply_bytes", c_uint64),
        ("max_reply_elements", c_uint64),
        ("idle_ms", c_int64),
        ("max_connecting", c_uint32),
        ("max_reply_depth", c_uint32),
        ("busy_poll_us", c_int64),
    ]


class RedisStats(ctypes.Structure):
    _fields_ = [
        ("max", c_uint32),
        ("open", c_uint32),
        ("connecting", c_uint32),
        ("idle", c_uint32),
        ("pipelines", c_uint32),
        ("leased", c_uint32),
        ("subscriptions", c_uint32),
        ("waiting", c_uint32),
        ("waited_ms", c_uint64),
        ("waits", c_uint64),
        ("refused", c_uint64),
        ("reconnects", c_uint64),
        ("commands", c_uint64),
        ("lost", c_uint64),
        ("timeouts", c_uint64),
        ("unanswered", c_uint64),
    ]


class SubOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("max_notices", c_uint32),
        ("reserved", c_uint32),
        ("to", c_void_p),
        ("user", c_uint64),
    ]


class MonitorOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("ping_ms", c_int64),
        ("overdue_ms", c_int64),
        ("to", c_void_p),
        ("user", c_uint64),
    ]


class HealthReport(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("part", c_char_p),
        ("state", c_int32),
        ("reserved", c_int32),
        ("fresh_ms", c_int64),
        ("reason", c_char_p),
    ]


_S = TypeVar("_S", bound=ctypes.Structure)


def sized(kind: Type[_S]) -> _S:
    """A struct with its defaults: zeroes, and its own size in struct_size."""
    made = kind()
    made.struct_size = ctypes.sizeof(kind)
    return made
