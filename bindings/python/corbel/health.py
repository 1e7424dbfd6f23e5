"""The health table of a runtime: parts report a state, the roll-up says whether the host is ready. Nothing here waits, so
both faces share it; any thread."""

import ctypes
import enum
import json
from ctypes import c_void_p
from typing import Any, Dict, Optional

from corbel import _constants as c
from corbel import _structs
from corbel._failure import opened, received
from corbel._handle import Handle
from corbel._library import quick
from corbel._options import milliseconds, text
from corbel.log import take_text


class HealthState(enum.IntEnum):
    UNKNOWN = c.HEALTH_UNKNOWN
    OK = c.HEALTH_OK
    DEGRADED = c.HEALTH_DEGRADED
    DOWN = c.HEALTH_DOWN


class Health:
    """``runtime.health``. Pools report as "redis:<kind>" by themselves."""

    def __init__(self, runtime: Handle) -> None:
        self._runtime = runtime

    def set(
        self,
        part: str,
        state: HealthState,
        reason: Optional[str] = None,
        *,
        required: bool = False,
        fresh_for: Optional[float] = None,
    ) -> None:
        """Reports a part. required: the roll-up is no better than this part; others make it DEGRADED at worst.
        fresh_for: seconds until the report is too old to count; None: it does not age."""
        report = _structs.sized(_structs.HealthReport)
        report.flags = c.HEALTH_REQUIRED if required else 0
        report.part = text(part, "part")
        report.state = int(state)
        report.fresh_ms = milliseconds(fresh_for, "fresh_for")
        report.reason = text(reason, "reason")
        error = c_void_p()
        status = quick.corbel_health_set(self._runtime.pointer, ctypes.byref(report), ctypes.byref(error))
        if status:
            raise received(error.value or 0, status)

    def state(self, part: Optional[str] = None) -> HealthState:
        """State of one part, or of the roll-up; UNKNOWN for a part that nobody reported."""
        return HealthState(quick.corbel_health_state(self._runtime.pointer, text(part, "part")))

    def report(self) -> Dict[str, Any]:
        """The whole table: {"state": "ok", "because": None, "parts": {"redis:main": {"state": ..., ...}}}."""
        table: Dict[str, Any] = json.loads(take_text(opened(quick.corbel_health_json, self._runtime.pointer)))
        return table
