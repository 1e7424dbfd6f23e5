"""What both faces of a heartbeat share."""

import ctypes
import json
from typing import Any, Callable, Mapping, NamedTuple, Optional, Union

from corbel import _queue_structs
from corbel._failure import describe, opened
from corbel._handle import Handle
from corbel._library import quick
from corbel._options import text
from corbel._structs import sized
from corbel.errors import Invalid


class HeartbeatSettings(NamedTuple):
    """The parameters of redis.heartbeat()."""

    tenant: str
    project: str
    service: str
    instance: Optional[str]
    capacity: int
    port: Optional[int]


def open_heartbeat(pool: Handle, settings: HeartbeatSettings) -> int:
    """Begins; the pointer to a corbel_heartbeat."""
    o = sized(_queue_structs.HeartbeatOptions)
    o.tenant = text(settings.tenant, "tenant")
    o.project = text(settings.project, "project")
    o.service = text(settings.service, "service")
    o.instance = text(settings.instance, "instance")
    o.capacity = _capacity(settings.capacity)
    o.port = settings.port or 0
    return opened(quick.corbel_heartbeat_open, pool.pointer, ctypes.byref(o))


class Teller:
    """What a process tells between two beats."""

    def load(self, messages: int) -> None:
        """How many messages are in hand; told with the next beat."""
        self._tell(quick.corbel_heartbeat_set_load, messages)

    def capacity(self, messages: int) -> None:
        """Another capacity, told at once."""
        self._tell(quick.corbel_heartbeat_set_capacity, _capacity(messages))

    def metadata(self, members: Mapping[str, Any]) -> None:
        """A JSON object, told with the next beat."""
        self._tell(quick.corbel_heartbeat_set_metadata, json.dumps(dict(members)).encode())

    def _tell(self, function: Callable[..., int], value: Union[int, bytes]) -> None:
        raise NotImplementedError


def told(status: int) -> None:
    """Raises what a call that makes no event says."""
    if status:
        raise describe(0, status)


def _capacity(messages: int) -> int:
    if not 1 <= messages <= 0xFFFFFFFF:
        raise Invalid(f"capacity is {messages!r}; give 1 or more")
    return messages
