"""What a queue is, and when its puts are refused, in both faces."""

import ctypes
from dataclasses import dataclass
from typing import Any, Callable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from corbel import _constants as c
from corbel import _queue_structs
from corbel._options import milliseconds, text
from corbel._structs import sized
from corbel.errors import Invalid
from corbel.unworked import Unworked

#: Names of lanes, or their weights by name.
Lanes = Union[Sequence[str], Mapping[str, int]]


@dataclass(frozen=True)
class Queue:
    """What names a queue, for ``redis.producer()``, ``redis.consumer()`` and ``redis.inspector()`` alike. Where all else is
    as it is by default its name alone does.

        work = corbel.Queue("work", lanes={"paid": 3, "free": 1}, max_attempts=5)
        async with r.producer(work) as producer: await producer.put("text", lane="paid")

    - name: key of the ready list, and begin of all other keys
    - lanes: ready lists of their own, name + ":" + lane; consumers take turns over them, weight messages a turn
    - max_attempts: then a message goes to the dead list; corbel.UNBOUNDED: never
    - layout: "native", or "platform": the chat queue of a KDCube deployment, named by tenant and project; its lanes are the
      user types, of which ``lanes`` may give weights
    - max_in_flight: platform: nothing is claimed where a lane has so many in flight
    """

    name: str = "corbel:queue"
    lanes: Lanes = ()
    max_attempts: int = 25
    layout: str = "native"
    tenant: str = ""
    project: str = ""
    max_in_flight: int = 1000


@dataclass(frozen=True)
class Admission:
    """When a put is refused with :class:`corbel.Busy`: by what the processes that work the queue can hold, each
    floor(capacity * (1 - buffer)) + floor(capacity * multiplier) messages, and by the share of it that a lane may fill.

    - capacity: of all processes together; None: what their heartbeats say
    - anonymous, registered, paid: shares of these lanes; hard: of all others, and of a queue without lanes
    - max_queue_size: ready and in flight together; 0: no limit
    - tenant, project: of the heartbeats; "": the queue's own. service: whose heartbeats count; heartbeat_timeout: an older
      one does not count (seconds)
    """

    capacity: Optional[int] = None
    buffer: float = 0.2
    multiplier: float = 2.0
    anonymous: float = 0.6
    registered: float = 0.8
    paid: float = 0.8
    hard: float = 0.95
    max_queue_size: int = 0
    tenant: str = ""
    project: str = ""
    service: str = "chat:proc"
    heartbeat_timeout: float = 45.0


_LAYOUTS = {"native": c.QUEUE_NATIVE, "platform": c.QUEUE_PLATFORM}
_CRASHED = {"retry": c.CRASHED_RETRY, "interrupt": c.CRASHED_INTERRUPT}


class ConsumerSettings(NamedTuple):
    """The parameters of redis.consumer()."""

    concurrency: int
    prefetch: int
    lease: Optional[float]
    backoff: Tuple[float, float]
    crashed: str
    instance: Optional[str]
    unworked: Optional[Callable[[Unworked], object]]


class QueueMemory:
    """A corbel_queue_options and what it points to; ``options`` is good for as long as this."""

    def __init__(self, queue: Union[str, Queue, None]) -> None:
        what = queue if isinstance(queue, Queue) else Queue() if queue is None else Queue(queue)
        self._kept: List[Any] = []
        self.options = o = sized(_queue_structs.QueueOptions)
        o.name = text(what.name, "name")
        o.layout = _named(_LAYOUTS, what.layout, "layout")
        o.tenant = text(what.tenant, "tenant")
        o.project = text(what.project, "project")
        o.max_attempts = at_least_one(what.max_attempts, "max_attempts")
        o.max_in_flight = at_least_one(what.max_in_flight, "max_in_flight")
        weights = what.lanes.items() if isinstance(what.lanes, Mapping) else [(lane, 1) for lane in what.lanes]
        lanes = [_queue_structs.QueueLane(text(lane, "lane"), at_least_one(weight, "weight")) for lane, weight in weights]
        array = (_queue_structs.QueueLane * len(lanes))(*lanes)
        o.lanes = self._keep(array)
        o.lane_count = len(lanes)

    def consumer(self, settings: ConsumerSettings, to: int, user: int) -> None:
        o = self.options
        o.concurrency = at_least_one(settings.concurrency, "concurrency")
        o.prefetch = settings.prefetch
        o.lease_ms = milliseconds(settings.lease, "lease")
        o.backoff_first_ms, o.backoff_most_ms = (milliseconds(seconds, "backoff") for seconds in settings.backoff)
        o.crashed = _named(_CRASHED, settings.crashed, "crashed")
        o.instance = text(settings.instance, "instance")
        o.flags = c.QUEUE_TELL_UNWORKED if settings.unworked is not None else 0
        o.to = to
        o.user = user

    def producer(self, max_body: int, idempotency_window: Optional[float], admission: Optional[Admission]) -> None:
        o = self.options
        o.max_body_bytes = max_body
        o.idempotency_ms = milliseconds(idempotency_window, "idempotency_window")
        if admission is not None:
            o.admission = self._keep(admission_struct(admission))

    def _keep(self, made: Any) -> int:
        self._kept.append(made)
        return ctypes.addressof(made)


def admission_struct(a: Admission) -> _queue_structs.QueueAdmission:
    made = sized(_queue_structs.QueueAdmission)
    made.capacity = 0 if a.capacity is None else at_least_one(a.capacity, "capacity")
    for name in ("buffer", "multiplier", "anonymous", "registered", "paid", "hard"):
        setattr(made, name, getattr(a, name) or -1.0)  # there 0 is the default, and below 0 is none
    made.max_queue_size = a.max_queue_size
    made.tenant = text(a.tenant, "tenant")
    made.project = text(a.project, "project")
    made.service = text(a.service, "service")
    made.heartbeat_ms = milliseconds(a.heartbeat_timeout, "heartbeat_timeout")
    return made


def _named(numbers: Mapping[str, int], name: str, what: str) -> int:
    if name not in numbers:
        raise Invalid(f"{what} is {name!r}; give one of {', '.join(numbers)}")
    return numbers[name]


def at_least_one(number: int, what: str) -> int:
    if not 1 <= number <= c.UNBOUNDED:
        raise Invalid(f"{what} is {number!r}; give 1 or more")
    return number
