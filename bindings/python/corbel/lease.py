"""Leases in the asyncio face: one connection of the pool for one task at a time."""

from types import TracebackType
from typing import Any, Generator, Optional, Type

from corbel._commands import Commands
from corbel._handle import Handle
from corbel._library import quick
from corbel.events import Pump

_conn_send = quick.corbel_redis_conn_send
_release = quick.corbel_redis_conn_release


class Lease(Commands):
    """One connection for one task at a time. Every command is allowed but SUBSCRIBE and its kin, MONITOR, CLIENT REPLY and
    QUIT."""

    def __init__(self, pump: Pump, pointer: int, decode: bool) -> None:
        super().__init__(pump, Handle(pointer, _release), _conn_send, decode)

    def release(self) -> None:
        """Gives the connection back; one in an unknown state (MULTI or WATCH open ...) is discarded by the pool."""
        self._handle.free()

    async def __aenter__(self) -> "Lease":
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.release()


class LeaseRequest:
    """What ``lease()`` returns: to be awaited, or used in ``async with``."""

    def __init__(self, pump: Pump, pool: Handle, timeout: Optional[float], decode: bool) -> None:
        self._pump = pump
        self._pool = pool
        self._timeout = timeout
        self._decode = decode
        self._lease: Optional[Lease] = None

    async def _acquire(self) -> Lease:
        pump = self._pump
        pump.check()
        ticket = pump.expect(quick.corbel_redis_lease(self._pool.pointer, pump.call(self._timeout), pump.ticket_to))
        return Lease(pump, await pump.handle(ticket, _release), self._decode)

    def __await__(self) -> Generator[Any, None, Lease]:
        return self._acquire().__await__()

    async def __aenter__(self) -> Lease:
        self._lease = await self._acquire()
        return self._lease

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if self._lease is not None:
            self._lease.release()
