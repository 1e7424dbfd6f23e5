"""The health monitor of a pool in the asyncio face."""

import ctypes
from itertools import count
from types import TracebackType
from typing import Callable, Dict, Optional, Type

from corbel import _structs
from corbel._failure import opened
from corbel._handle import Handle
from corbel._library import quick
from corbel._mailbox import Mailbox
from corbel._options import milliseconds
from corbel.errors import Closed
from corbel.events import Pump
from corbel.state import RedisState, StateChange, read_change

Listener = Callable[[StateChange], object]
_KEPT = 64


class Monitor:
    """Tells when the server is lost, reached again, and when every subscription is confirmed again. Driven by the
    connections' real errors and by overdue PINGs; a full pool is not down. Made by ``redis.monitor()``.

        async with r.monitor() as monitor:
            async for change in monitor: print(change.state.name, change.epoch, change.why)
    """

    def __init__(self, pump: Pump, pool: Handle, ping: Optional[float], overdue: Optional[float]) -> None:
        self._pump = pump
        self._last: Optional[StateChange] = None
        self._listeners: Dict[int, Listener] = {}
        self._ids = count(1)
        self._mailbox: Mailbox[StateChange] = Mailbox(pump.loop, "monitor", _KEPT)
        options = _structs.sized(_structs.MonitorOptions)
        options.ping_ms = milliseconds(ping, "ping")
        options.overdue_ms = milliseconds(overdue, "overdue")
        options.to = pump.queue
        options.user = pump.register(self)
        opener = quick.corbel_monitor_open
        self._handle = Handle(opened(opener, pool.pointer, ctypes.byref(options)), quick.corbel_monitor_free)

    @property
    def state(self) -> RedisState:
        """The state now; never RESUBSCRIBED."""
        if not self._handle.pointer:
            raise Closed("the monitor was closed")
        return RedisState(quick.corbel_monitor_state(self._handle.pointer))

    def listen(self, callback: Listener) -> int:
        """Has a function called in the loop at every change, and with the present state at once when it is known; returns
        the listener's number. The changes still come to readers too."""
        listener = next(self._ids)
        self._listeners[listener] = callback
        if self._last is not None:
            self._pump.loop.call_soon(self._tell, listener, self._last)
        return listener

    def unlisten(self, listener: int) -> bool:
        """After it returns the listener is not called any more. False when there was none of that number."""
        return self._listeners.pop(listener, None) is not None

    async def get(self, timeout: Optional[float] = None) -> StateChange:
        """The next change; the last 64 are kept for a slow reader. Raises Timeout after so many seconds, Closed when the
        monitor was closed."""
        return await self._mailbox.get(timeout)

    async def close(self) -> None:
        """Ends it: readers get what is there, then their loops end; listeners are called no more."""
        self._handle.free()
        self._listeners.clear()
        self._mailbox.close()

    def end(self) -> None:
        """For the pump and the pool: nothing more comes."""
        self._mailbox.close()

    def receive(self, kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int) -> None:
        """For the pump."""
        change = read_change(kind, status, value, epoch, error)
        if change is None:
            self._mailbox.close()
            return
        self._mailbox.put(change)
        if change.state is not RedisState.RESUBSCRIBED:
            self._last = change
        for listener in self._listeners:
            self._pump.loop.call_soon(self._tell, listener, change)

    def _tell(self, listener: int, change: StateChange) -> None:
        callback = self._listeners.get(listener)
        if callback is not None:
            callback(change)

    def __aiter__(self) -> "Monitor":
        return self

    async def __anext__(self) -> StateChange:
        try:
            return await self.get()
        except Closed:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> "Monitor":
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()
