"""Finds libcorbel, loads it, checks that it serves these signatures, and declares them.

The library is loaded twice, which costs nothing (the system's loader knows it already):

- ``quick`` keeps Python's lock during a call. For everything that neither blocks nor calls back, which is nearly
  everything: giving the lock away and winning it back costs more than the call itself.
- ``waiting`` gives the lock away, for the few calls that may block.

Looked for in this order: the file that the environment's CORBEL_LIBRARY names, beside this package, the system's loader.
"""

import ctypes
import os
from ctypes import c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any, Dict, List, Tuple

from corbel._structs import Bytes

HEADER_VERSION = 0x00010000
SONAME = "libcorbel.so.0"

# Result and parameters of every function but those that take a callback: this package has none.
SIGNATURES: Dict[str, Tuple[Any, List[Any]]] = {
    # base.h
    "corbel_version": (c_uint32, []),
    "corbel_version_string": (c_char_p, []),
    "corbel_header_compatible": (c_int, [c_uint32]),
    "corbel_has_feature": (c_int, [c_char_p]),
    "corbel_status_name": (c_char_p, [c_int32]),
    "corbel_options_init": (c_int32, [c_void_p, c_char_p, c_size_t]),
    "corbel_error_status": (c_int32, [c_void_p]),
    "corbel_error_message": (c_char_p, [c_void_p]),
    "corbel_error_source": (c_char_p, [c_void_p]),
    "corbel_error_native": (c_char_p, [c_void_p]),
    "corbel_error_field": (c_char_p, [c_void_p, c_char_p]),
    "corbel_error_flags": (c_uint32, [c_void_p]),
    "corbel_error_free": (None, [c_void_p]),
    "corbel_text_bytes": (c_int32, [c_void_p, c_void_p]),
    "corbel_text_free": (None, [c_void_p]),
    # events.h
    "corbel_events_open": (c_int32, [c_void_p, c_uint32, c_void_p, c_void_p]),
    "corbel_events_fd": (c_int, [c_void_p]),
    "corbel_events_take": (c_size_t, [c_void_p, c_void_p, c_size_t, c_size_t, c_int64]),
    "corbel_events_interrupt": (None, [c_void_p]),
    "corbel_event_clear": (None, [c_void_p, c_size_t]),
    "corbel_events_free": (None, [c_void_p]),
    # config.h
    "corbel_config_parse": (c_int32, [c_char_p, c_size_t, c_char_p, c_void_p, c_void_p]),
    "corbel_config_from_env": (c_int32, [c_char_p, c_void_p, c_void_p]),
    "corbel_config_json": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_config_table": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_config_free": (None, [c_void_p]),
    # pools.h
    "corbel_pools_open": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p]),
    "corbel_pools_redis": (c_int32, [c_void_p, c_char_p, c_void_p, c_void_p]),
    "corbel_pools_postgres": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_pools_apply": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_pools_follow": (c_int32, [c_void_p, c_void_p, c_uint64, c_void_p]),
    "corbel_pools_budget": (c_int32, [c_void_p, c_uint32, c_void_p, c_void_p]),
    "corbel_pools_json": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_pools_free": (None, [c_void_p]),
    # runtime.h
    "corbel_runtime_open": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_runtime_shutdown": (c_int32, [c_void_p, c_int64, c_void_p]),
    "corbel_runtime_metrics": (c_int32, [c_void_p, c_int32, c_void_p, c_void_p]),
    "corbel_runtime_log_to": (c_int32, [c_void_p, c_int32, c_void_p]),
    "corbel_runtime_free": (None, [c_void_p]),
    "corbel_log_write": (c_int32, [c_void_p, c_int32, c_char_p, c_char_p, c_size_t, c_void_p, c_size_t, c_size_t]),
    "corbel_cancel": (c_int32, [c_void_p, c_uint64]),
    # redis.h
    "corbel_redis_open": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p]),
    "corbel_redis_send": (c_int32, [c_void_p, c_void_p, c_size_t, c_void_p, c_void_p]),
    "corbel_redis_send_many": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_void_p]),
    "corbel_redis_eval": (c_int32, [c_void_p, Bytes, c_void_p, c_size_t, c_size_t, c_void_p, c_void_p]),
    "corbel_redis_lease": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_redis_conn_send": (c_int32, [c_void_p, c_void_p, c_size_t, c_void_p, c_void_p]),
    "corbel_redis_conn_release": (None, [c_void_p]),
    "corbel_redis_stats_get": (c_int32, [c_void_p, c_void_p, c_size_t]),
    "corbel_redis_close": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_redis_free": (None, [c_void_p]),
    "corbel_reply_root": (c_void_p, [c_void_p]),
    "corbel_node_kind": (c_int32, [c_void_p]),
    "corbel_node_bytes": (c_int32, [c_void_p, c_void_p]),
    "corbel_node_integer": (c_int64, [c_void_p]),
    "corbel_node_count": (c_size_t, [c_void_p]),
    "corbel_node_at": (c_void_p, [c_void_p, c_size_t]),
    "corbel_reply_records": (c_size_t, [c_void_p, c_void_p, c_size_t, c_size_t]),
    "corbel_reply_free": (None, [c_void_p]),
    "corbel_replies_read": (c_size_t, [c_void_p, c_size_t, c_size_t, c_void_p, c_size_t, c_void_p, c_size_t]),
    "corbel_sub_open": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p]),
    "corbel_sub_change": (c_int32, [c_void_p, c_int32, c_char_p, c_size_t, c_void_p, c_void_p]),
    "corbel_sub_free": (None, [c_void_p]),
    "corbel_monitor_open": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p]),
    "corbel_monitor_unlisten": (c_int32, [c_void_p, c_uint64]),
    "corbel_monitor_state": (c_int32, [c_void_p]),
    "corbel_monitor_free": (None, [c_void_p]),
    # postgres.h
    "corbel_pg_open": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p]),
    "corbel_pg_resize": (c_int32, [c_void_p, c_uint32, c_uint32, c_void_p]),
    "corbel_pg_stats_get": (c_int32, [c_void_p, c_void_p, c_size_t]),
    "corbel_pg_close": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_pg_free": (None, [c_void_p]),
    "corbel_pg_query": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p]),
    "corbel_pg_result_rows": (c_size_t, [c_void_p]),
    "corbel_pg_result_columns": (c_size_t, [c_void_p]),
    "corbel_pg_result_name": (c_char_p, [c_void_p, c_size_t]),
    "corbel_pg_result_type": (c_uint32, [c_void_p, c_size_t]),
    "corbel_pg_result_format": (c_int32, [c_void_p, c_size_t]),
    "corbel_pg_result_tag": (c_char_p, [c_void_p]),
    "corbel_pg_result_affected": (c_uint64, [c_void_p]),
    "corbel_pg_result_value": (c_int32, [c_void_p, c_size_t, c_size_t, c_void_p]),
    "corbel_pg_result_packed": (c_int32, [c_void_p, c_void_p]),
    "corbel_pg_result_free": (None, [c_void_p]),
    "corbel_pg_lease": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_pg_conn_query": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p]),
    "corbel_pg_conn_begin": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p]),
    "corbel_pg_conn_commit": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_pg_conn_rollback": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_pg_conn_backend": (c_int32, [c_void_p]),
    "corbel_pg_conn_release": (None, [c_void_p]),
    "corbel_pg_conn_discard": (None, [c_void_p]),
    "corbel_pg_conn_stream": (c_int32, [c_void_p, c_void_p, c_uint32, c_void_p, c_void_p]),
    "corbel_pg_stream_next": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_pg_stream_free": (None, [c_void_p]),
    "corbel_pg_conn_copy_in": (c_int32, [c_void_p, c_char_p, c_void_p, c_void_p]),
    "corbel_pg_conn_copy_out": (c_int32, [c_void_p, c_char_p, c_void_p, c_void_p]),
    "corbel_pg_copy_write": (c_int32, [c_void_p, c_char_p, c_size_t, c_void_p, c_void_p]),
    "corbel_pg_copy_finish": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_pg_copy_read": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_pg_copy_free": (None, [c_void_p]),
    "corbel_pg_listener_open": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p]),
    "corbel_pg_listener_change": (c_int32, [c_void_p, c_int32, c_char_p, c_void_p, c_void_p]),
    "corbel_pg_listener_free": (None, [c_void_p]),
    "corbel_pg_notice_channel": (c_int32, [c_void_p, c_void_p]),
    "corbel_pg_notice_payload": (c_int32, [c_void_p, c_void_p]),
    "corbel_pg_notice_backend": (c_int32, [c_void_p]),
    "corbel_pg_notice_free": (None, [c_void_p]),
    # queue.h
    "corbel_producer_open": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p]),
    "corbel_producer_put": (c_int32, [c_void_p, c_void_p, c_size_t, c_size_t, c_void_p, c_void_p]),
    "corbel_producer_depth": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_producer_free": (None, [c_void_p]),
    "corbel_receipt_count": (c_size_t, [c_void_p]),
    "corbel_receipt_id": (c_char_p, [c_void_p, c_size_t]),
    "corbel_receipt_repeated": (c_int, [c_void_p, c_size_t]),
    "corbel_receipt_text": (c_char_p, [c_void_p]),
    "corbel_receipt_free": (None, [c_void_p]),
    "corbel_consumer_open": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p]),
    "corbel_consumer_drain": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_consumer_free": (None, [c_void_p]),
    "corbel_message_view_get": (c_int32, [c_void_p, c_void_p, c_size_t]),
    "corbel_message_body": (c_int32, [c_void_p, c_void_p]),
    "corbel_message_id": (c_char_p, [c_void_p]),
    "corbel_message_attempt": (c_uint32, [c_void_p]),
    "corbel_message_token": (c_uint64, [c_void_p]),
    "corbel_message_lane": (c_char_p, [c_void_p]),
    "corbel_message_group": (c_char_p, [c_void_p]),
    "corbel_message_put_ms": (c_int64, [c_void_p]),
    "corbel_message_lost": (c_int, [c_void_p]),
    "corbel_message_wait_lost": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_message_settle": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p]),
    "corbel_messages_settle": (c_int32, [c_void_p, c_size_t, c_void_p, c_void_p, c_void_p]),
    "corbel_unworked_view_get": (c_int32, [c_void_p, c_void_p, c_size_t]),
    "corbel_unworked_free": (None, [c_void_p]),
    "corbel_message_free": (None, [c_void_p]),
    "corbel_messages_free": (None, [c_void_p, c_size_t]),
    # queue_heartbeat.h
    "corbel_heartbeat_open": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p]),
    "corbel_heartbeat_set_load": (c_int32, [c_void_p, c_uint32]),
    "corbel_heartbeat_set_capacity": (c_int32, [c_void_p, c_uint32]),
    "corbel_heartbeat_set_metadata": (c_int32, [c_void_p, c_char_p]),
    "corbel_heartbeat_drain": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_heartbeat_free": (None, [c_void_p]),
    # queue_inspector.h
    "corbel_inspector_open": (c_int32, [c_void_p, c_void_p, c_void_p, c_void_p]),
    "corbel_inspector_stats": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_inspector_dead": (c_int32, [c_void_p, c_uint64, c_size_t, c_void_p, c_void_p]),
    "corbel_inspector_requeue": (c_int32, [c_void_p, c_void_p, c_size_t, c_void_p, c_void_p]),
    "corbel_inspector_purge": (c_int32, [c_void_p, c_void_p, c_size_t, c_void_p, c_void_p]),
    "corbel_inspector_free": (None, [c_void_p]),
    "corbel_dead_count": (c_size_t, [c_void_p]),
    "corbel_dead_next": (c_uint64, [c_void_p]),
    "corbel_dead_at": (c_int32, [c_void_p, c_size_t, c_void_p, c_size_t]),
    "corbel_dead_attempt_at": (c_int32, [c_void_p, c_size_t, c_size_t, c_void_p, c_size_t]),
    "corbel_dead_free": (None, [c_void_p]),
    # health.h
    "corbel_health_set": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_health_json": (c_int32, [c_void_p, c_void_p, c_void_p]),
    "corbel_health_state": (c_int32, [c_void_p, c_char_p]),
}


def _candidates() -> List[str]:
    named = os.environ.get("CORBEL_LIBRARY")
    if named:
        return [named]
    return [str(Path(__file__).resolve().parent / SONAME), SONAME]


def _declare(library: ctypes.CDLL) -> None:
    for name, (result, parameters) in SIGNATURES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = parameters


def _load() -> Tuple[ctypes.PyDLL, ctypes.CDLL]:
    if ctypes.sizeof(c_void_p) != 8:
        raise ImportError("corbel needs a 64-bit Python")
    reasons = []
    for path in _candidates():
        try:
            quick, waiting = ctypes.PyDLL(path), ctypes.CDLL(path)
        except OSError as error:
            reasons.append(str(error))
            continue
        try:
            _declare(quick)
            _declare(waiting)
        except AttributeError as error:
            raise ImportError(f"{path} is no libcorbel that this package knows: {error}") from None
        if not quick.corbel_header_compatible(HEADER_VERSION):
            found = quick.corbel_version_string().decode()
            raise ImportError(f"{path} is version {found} and does not serve this package (header {HEADER_VERSION:#010x})")
        return quick, waiting
    raise ImportError(f"{SONAME} was not found; set CORBEL_LIBRARY to its path ({'; '.join(reasons)})")


quick, waiting = _load()


def version() -> str:
    """Version of the loaded library, such as "0.1.0"."""
    return str(quick.corbel_version_string().decode())


def has_feature(name: str) -> bool:
    """Whether the loaded library has a feature: "redis", "postgres", "tls", "queue", "deep_replies"."""
    return bool(quick.corbel_has_feature(name.encode()))
