"""Changes of health in the blocking face."""

from typing import Optional

from corbel._handle import Handle
from corbel._library import quick
from corbel.blocking._inbox import Inbox
from corbel.blocking._port import Core
from corbel.errors import Closed
from corbel.health import HealthChange, read_change


class HealthChanges:
    """Tells every change of a part and of the whole. Made by ``rt.health_changes()``; a new one takes the place of the last.

    for change in rt.health_changes():
        print(change.part or "host", change.state, change.reason)
    """

    def __init__(self, core: Core, runtime: Handle) -> None:
        self._runtime = runtime
        self._inbox: Inbox[HealthChange] = Inbox(core, "health watch", read_change)
        quick.corbel_health_watch(runtime.pointer, self._inbox.queue, 0)

    def get(self, timeout: Optional[float] = None) -> HealthChange:
        """The next change. Raises Timeout after so many seconds, Closed at the end."""
        return self._inbox.get(timeout)

    def close(self) -> None:
        """Nothing more comes: readers get what is there, then their loops end."""
        if not self._inbox.closed:
            quick.corbel_health_watch(self._runtime.pointer, None, 0)
        self._inbox.close()

    def end(self) -> None:
        """For the runtime: nothing more comes."""
        self._inbox.close()

    def __iter__(self) -> "HealthChanges":
        return self

    def __next__(self) -> HealthChange:
        try:
            return self.get()
        except Closed:
            raise StopIteration from None


class WatchesHealth:
    """What a runtime can about changes of its health."""

    _core: Core
    _handle: Handle

    def health_changes(self) -> HealthChanges:
        """From now on every change of health, for its readers; the oldest of more than 1,024 are dropped."""
        self._core.check()
        return HealthChanges(self._core, self._handle)
