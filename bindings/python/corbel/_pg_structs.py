"""The C structs of corbel/c/postgres.h. A test compares them with what the C compiler says."""

import ctypes
from ctypes import c_char_p, c_int32, c_int64, c_uint32, c_uint64, c_void_p


class PgOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("min_size", c_uint32),
        ("max_size", c_uint32),
        ("max_waiting", c_uint32),
        ("max_prepared", c_uint32),
        ("conninfo", c_char_p),
        ("kind", c_char_p),
        ("connect_ms", c_int64),
        ("call_ms", c_int64),
        ("acquire_ms", c_int64),
        ("idle_check_ms", c_int64),
        ("lifetime_ms", c_int64),
        ("max_idle_ms", c_int64),
        ("share_ms", c_int64),
        ("cancel_ms", c_int64),
        ("max_connecting", c_uint32),
        ("reserved", c_uint32),
    ]


class PgStats(ctypes.Structure):
    _fields_ = [
        ("min", c_uint32),
        ("max", c_uint32),
        ("open", c_uint32),
        ("idle", c_uint32),
        ("in_use", c_uint32),
        ("leased", c_uint32),
        ("sharing", c_uint32),
        ("listening", c_uint32),
        ("connecting", c_uint32),
        ("waiting", c_uint32),
        ("queued", c_uint32),
        ("unanswered", c_uint32),
        ("waits", c_uint64),
        ("waited_ms", c_uint64),
        ("refused", c_uint64),
        ("connects", c_uint64),
        ("connect_failures", c_uint64),
        ("reconnects", c_uint64),
        ("statements", c_uint64),
        ("errors", c_uint64),
        ("lost", c_uint64),
        ("timeouts", c_uint64),
        ("cancels", c_uint64),
        ("repeated", c_uint64),
    ]


class PgBegin(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("isolation", c_int32),
        ("reserved", c_int32),
    ]


class PgListenerOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("max_notices", c_uint32),
        ("reserved", c_uint32),
        ("to", c_void_p),
        ("user", c_uint64),
    ]
