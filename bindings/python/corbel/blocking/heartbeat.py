"""What a process that works a queue can hold, told to the fleet, in the blocking face."""

from types import TracebackType
from typing import Callable, Optional, Type, Union

from corbel._handle import Handle
from corbel._heartbeat import HeartbeatSettings, Teller, open_heartbeat, told
from corbel._library import quick
from corbel.blocking._locked_handle import LockedHandle
from corbel.blocking._port import Core
from corbel.errors import Closed


class Heartbeat(Teller):
    """The platform's heartbeat, by which admission counts capacity. Made by ``redis.heartbeat()``.

        with r.heartbeat(tenant="t", project="p", capacity=8) as beat:
            ... beat.load(3) ...
            beat.drain()                    # in the moment in which intake stops: no capacity any more
            consumer.drain()

    The first one goes out at once, then every ten seconds, and at once when the server is reached again. It always says that
    the process is healthy, whatever its load, because a saturated process can take work again.
    """

    def __init__(self, core: Core, pool: Handle, settings: HeartbeatSettings) -> None:
        self._core = core
        self._handle = LockedHandle(open_heartbeat(pool, settings), quick.corbel_heartbeat_free)

    def drain(self, timeout: Optional[float] = None) -> None:
        """Takes the process out of the capacity, and says from now on that it drains. Returns when the server has it; where
        that fails it is tried again with every beat."""
        with self._core.port() as port:
            port.wait(self._handle.start(port, quick.corbel_heartbeat_drain, timeout=timeout))

    def close(self) -> None:
        """Removes the process's keys, without waiting for it; where that fails they end by themselves, within 75 s."""
        self._handle.free()

    def _tell(self, function: Callable[..., int], value: Union[int, bytes]) -> None:
        with self._handle.lock:
            if not self._handle.pointer:
                raise Closed("the heartbeat was closed")
            told(function(self._handle.pointer, value))

    def __enter__(self) -> "Heartbeat":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()
