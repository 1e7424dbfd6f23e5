"""Changes of health in the asyncio face."""

from typing import Optional

from corbel._handle import Handle
from corbel._library import quick
from corbel._mailbox import Mailbox
from corbel.errors import Closed
from corbel.events import Pump
from corbel.health import HealthChange, read_change

_KEPT = 1024


class HealthChanges:
    """Tells every change of a part and of the whole. Made by ``rt.health_changes()``; a new one takes the place of the last.

    async for change in rt.health_changes():
        print(change.part or "host", change.state, change.reason)
    """

    def __init__(self, pump: Pump, runtime: Handle, limit: int) -> None:
        self._runtime = runtime
        self._mailbox: Mailbox[HealthChange] = Mailbox(pump.loop, "health watch", limit)
        quick.corbel_health_watch(runtime.pointer, pump.queue, pump.register(self))

    async def get(self, timeout: Optional[float] = None) -> HealthChange:
        """The next change. Raises Timeout after so many seconds, Closed at the end."""
        return await self._mailbox.get(timeout)

    async def close(self) -> None:
        """Nothing more comes: readers get what is there, then their loops end."""
        if not self._mailbox.closed:
            quick.corbel_health_watch(self._runtime.pointer, None, 0)
        self._mailbox.close()

    def end(self) -> None:
        """For the pump: nothing more comes."""
        self._mailbox.close()

    def receive(self, kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int) -> None:
        """For the pump."""
        change = read_change(kind, status, flags, value, epoch, object, error)
        if change is not None:
            self._mailbox.put(change)

    def __aiter__(self) -> "HealthChanges":
        return self

    async def __anext__(self) -> HealthChange:
        try:
            return await self.get()
        except Closed:
            raise StopAsyncIteration from None


class WatchesHealth:
    """What a runtime can about changes of its health."""

    _pump: Pump
    _handle: Handle

    def health_changes(self) -> HealthChanges:
        """From now on every change of health, for its readers; the oldest of more than 1,024 are dropped."""
        self._pump.check()
        return HealthChanges(self._pump, self._handle, _KEPT)
