"""The health table of a runtime: parts report a state, the roll-up says whether the host is ready. Nothing here waits, so
both faces share it; any thread."""

import ctypes
import enum
import json
from ctypes import c_void_p
from typing import Any, Dict, NamedTuple, Optional

from corbel import _constants as c
from corbel import _structs
from corbel._failure import opened, received
from corbel._handle import Handle
from corbel._library import quick
from corbel._options import milliseconds, text
from corbel.log import take_bytes, take_text


class HealthState(enum.IntEnum):
    UNKNOWN = c.HEALTH_UNKNOWN
    OK = c.HEALTH_OK
    DEGRADED = c.HEALTH_DEGRADED
    DOWN = c.HEALTH_DOWN
    SATURATED = c.HEALTH_SATURATED
    STALE = c.HEALTH_STALE


class HealthChange(NamedTuple):
    """A part whose state changed; or the whole, where part is None and its state or its readiness did. ready: the host,
    after it; dropped: changes were lost before this one, because the reader was slow."""

    part: Optional[str]
    before: str
    state: str
    reason: Optional[str]
    ready: bool
    dropped: bool


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
        vital: bool = False,
    ) -> None:
        """Reports a part. required: the roll-up is no better than this part; others make it DEGRADED at worst.
        fresh_for: seconds until the report is too old to count, and STALE; None: it does not age. vital: down or stale, only
        a restart of the process mends it: the host is not alive."""
        report = _structs.sized(_structs.HealthReport)
        report.flags = (c.HEALTH_REQUIRED if required else 0) | (c.HEALTH_VITAL if vital else 0)
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

    def remove(self, part: str) -> None:
        """Forgets a part."""
        self._check(quick.corbel_health_remove(self._runtime.pointer, text(part, "part")))

    @property
    def ready(self) -> bool:
        """No required part is unknown, down or stale, some part has reported, and the host does not drain."""
        return bool(quick.corbel_health_ready(self._runtime.pointer))

    @property
    def alive(self) -> bool:
        """No vital part is down or stale."""
        return bool(quick.corbel_health_alive(self._runtime.pointer))

    def drain(self, on: bool = True) -> None:
        """From now on the host is not ready: whoever probes /readyz or /health hears it. Nothing else is stopped."""
        self._check(quick.corbel_health_drain(self._runtime.pointer, int(on)))

    def watch_lag(self) -> None:
        """Reports the part "runtime", vital and required: how long the I/O threads let a due timer wait."""
        self._check(quick.corbel_health_watch_lag(self._runtime.pointer))

    @staticmethod
    def _check(status: int) -> None:
        if status:
            raise received(0, status)

    def report(self) -> Dict[str, Any]:
        """The whole table: {"state": "ok", "because": None, "parts": {"redis:main": {"state": ..., ...}}}."""
        table: Dict[str, Any] = json.loads(take_text(opened(quick.corbel_health_json, self._runtime.pointer)))
        return table


def read_change(
    kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int
) -> Optional[HealthChange]:
    """The notice of a watch; None when its end has come."""
    if kind != c.EVENT_HEALTH or not object:
        return None
    told = json.loads(take_bytes(object))
    dropped = bool(flags & c.EVENT_DROPPED)
    return HealthChange(told["part"], told["before"], told["state"], told["reason"], told["ready"], dropped)
