"""What a process that works a queue can hold, told to the fleet, in the asyncio face."""

from types import TracebackType
from typing import Callable, Optional, Type, Union

from corbel._handle import Handle
from corbel._heartbeat import HeartbeatSettings, Teller, open_heartbeat, told
from corbel._library import quick
from corbel.errors import Closed
from corbel.events import Pump


class Heartbeat(Teller):
    """The platform's heartbeat, by which admission counts capacity. Made by ``redis.heartbeat()``.

        async with r.heartbeat(tenant="t", project="p", capacity=8) as beat:
            ... beat.load(3) ...
            await beat.drain()              # in the moment in which intake stops: no capacity any more
            await consumer.drain()

    The first one goes out at once, then every ten seconds, and at once when the server is reached again. It always says that
    the process is healthy, whatever its load, because a saturated process can take work again.
    """

    def __init__(self, pump: Pump, pool: Handle, settings: HeartbeatSettings) -> None:
        self._pump = pump
        self._handle = Handle(open_heartbeat(pool, settings), quick.corbel_heartbeat_free)

    async def drain(self, timeout: Optional[float] = None) -> None:
        """Takes the process out of the capacity, and says from now on that it drains. Returns when the server has it; where
        that fails it is tried again with every beat."""
        pump = self._pump
        pump.check()
        status = quick.corbel_heartbeat_drain(self._open(), pump.call(timeout), pump.ticket_to)
        await pump.result(pump.expect(status))

    async def close(self) -> None:
        """Removes the process's keys, without waiting for it; where that fails they end by themselves, within 75 s."""
        self._handle.free()

    def _tell(self, function: Callable[..., int], value: Union[int, bytes]) -> None:
        told(function(self._open(), value))

    def _open(self) -> int:
        pointer = self._handle.pointer
        if not pointer:
            raise Closed("the heartbeat was closed")
        return pointer

    async def __aenter__(self) -> "Heartbeat":
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()
