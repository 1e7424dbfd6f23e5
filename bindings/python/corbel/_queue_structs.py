"""The C structs of corbel/c/queue.h, queue_heartbeat.h and queue_inspector.h. A test compares them with what the C compiler
says.

What the library hands out is read with ``struct``: one call unpacks all members, a corbel_bytes as address and size.
"""

import ctypes
import struct
from ctypes import c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p

from corbel._structs import Bytes

# corbel_message_view: body, id, lane, group, token, put_ms, attempt, lost
MESSAGE_VIEW = struct.Struct("@PNPNPNPNQqII")
# corbel_dead_record: id, body, lane, group, reason, number, died_ms, attempts, history_count
DEAD_RECORD = struct.Struct("@PNPNPNPNPNQqII")
# corbel_dead_attempt: by, reason, at_ms, attempt, reserved
DEAD_ATTEMPT = struct.Struct("@PNPNqII")


class QueueLane(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("weight", c_uint32), ("reserved", c_uint32)]


class QueueAdmission(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("capacity", c_uint64),
        ("buffer", c_double),
        ("multiplier", c_double),
        ("anonymous", c_double),
        ("registered", c_double),
        ("paid", c_double),
        ("hard", c_double),
        ("max_queue_size", c_uint64),
        ("tenant", c_char_p),
        ("project", c_char_p),
        ("service", c_char_p),
        ("heartbeat_ms", c_int64),
    ]


class QueueOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("prefetch", c_uint32),
        ("concurrency", c_uint32),
        ("max_attempts", c_uint32),
        ("max_in_flight", c_uint32),
        ("name", c_char_p),
        ("lease_ms", c_int64),
        ("to", c_void_p),
        ("user", c_uint64),
        ("layout", c_int32),
        ("crashed", c_int32),
        ("tenant", c_char_p),
        ("project", c_char_p),
        ("lanes", c_void_p),
        ("lane_count", c_size_t),
        ("backoff_first_ms", c_int64),
        ("backoff_most_ms", c_int64),
        ("instance", c_char_p),
        ("max_body_bytes", c_uint64),
        ("idempotency_ms", c_int64),
        ("admission", c_void_p),
    ]


class LaneEvent(ctypes.Structure):
    _fields_ = [("id", Bytes), ("record", Bytes)]


class LaneEvents(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("conversation", c_char_p),
        ("user", c_char_p),
        ("agent", c_char_p),
        ("events", ctypes.POINTER(LaneEvent)),
        ("count", c_size_t),
    ]


class Put(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("body", Bytes),
        ("id", c_char_p),
        ("user_type", c_char_p),
        ("group", c_char_p),
        ("idempotency_key", c_char_p),
        ("not_before_ms", c_int64),
        ("delay_ms", c_int64),
        ("events", ctypes.POINTER(LaneEvents)),
    ]


class UnworkedView(ctypes.Structure):
    _fields_ = [("id", Bytes), ("body", Bytes), ("reason", Bytes)]


class HeartbeatOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("capacity", c_uint32),
        ("port", c_uint32),
        ("tenant", c_char_p),
        ("project", c_char_p),
        ("service", c_char_p),
        ("instance", c_char_p),
    ]


class Settle(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("how", c_int32),
        ("reserved", c_int32),
        ("not_before_ms", c_int64),
        ("reason", c_char_p),
        ("delay_ms", c_int64),
    ]
