"""What both faces of pools do alike."""

import ctypes
import json
from ctypes import c_void_p
from typing import Any, Dict

from corbel._failure import opened, received
from corbel._library import quick
from corbel.config import Config
from corbel.errors import Invalid
from corbel.log import take_text


def apply_config(pools: int, config: Config) -> None:
    error = c_void_p()
    status = quick.corbel_pools_apply(pools, config.pointer, ctypes.byref(error))
    if status:
        raise received(error.value or 0, status)


def follow_document(pools: int, queue: int, user: int) -> None:
    error = c_void_p()
    status = quick.corbel_pools_follow(pools, queue, user, ctypes.byref(error))
    if status:
        raise received(error.value or 0, status)


def statistics(pools: int) -> Dict[str, Any]:
    table: Dict[str, Any] = json.loads(take_text(opened(quick.corbel_pools_json, pools)))
    return table


def check_instances(instances: int) -> int:
    if not 1 <= instances <= 0xFFFFFFFF:
        raise Invalid(f"instances is {instances!r}; give 1 or more")
    return instances
