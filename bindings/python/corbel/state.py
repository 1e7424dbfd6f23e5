"""What a monitor tells its listeners, in both faces."""

import enum
from typing import NamedTuple, Optional

from corbel import _constants as c
from corbel._failure import failure
from corbel.errors import Error


class RedisState(enum.IntEnum):
    """UNKNOWN: not connected yet. DOWN: lost, or could not be reached; waiting for the next try. RECONNECTING: a try is
    under way. RESUBSCRIBED: told once after UP, when every wanted subscription is confirmed; the state stays UP."""

    UNKNOWN = c.REDIS_UNKNOWN
    UP = c.REDIS_UP
    DOWN = c.REDIS_DOWN
    RECONNECTING = c.REDIS_RECONNECTING
    RESUBSCRIBED = c.REDIS_RESUBSCRIBED


class StateChange(NamedTuple):
    """epoch: connections made so far, 1 with the first; why: what brought it down, for DOWN."""

    state: RedisState
    epoch: int
    why: Optional[Error] = None


def read_change(kind: int, status: int, value: int, epoch: int, error: int) -> Optional[StateChange]:
    """The change of an event, whose error is freed; None at the monitor's end."""
    why = failure(status, error)
    return StateChange(RedisState(value), epoch, why) if kind == c.EVENT_STATE else None
