"""One leased message in the asyncio face."""

import ctypes
from asyncio import TimeoutError, wait_for
from types import TracebackType
from typing import Optional, Type

from corbel import _constants as c
from corbel import _queue_structs
from corbel._library import quick
from corbel._message import Bury, MessageBase, Moment, Retry, ViewMemory, settlement, settlement_of
from corbel.errors import Timeout
from corbel.events import Pump

_settle = quick.corbel_message_settle
_DONE = settlement(c.SETTLE_DONE)


class Message(MessageBase):
    """One leased message of a consumer.

        async with message: work(message.body)      # done; retried when it raises; handed back when the task is cancelled

    Within the block ``raise corbel.Retry(delay=30)`` and ``raise corbel.Bury("why")`` do as they say, and the block ends. A
    settlement goes on when the task that waits for it is cancelled: the work was done, and only its answer is not awaited.
    """

    __slots__ = ("_pump",)

    def __init__(self, pump: Pump, memory: ViewMemory, pointer: int) -> None:
        super().__init__(memory, pointer)
        self._pump = pump

    async def done(self, *, timeout: Optional[float] = None) -> bool:
        """Worked: removes it. False when the lease had been lost, and another may have it. Once: State the second time,
        unless the first one failed."""
        return await self._settle(_DONE, timeout)

    async def retry(
        self,
        reason: Optional[str] = None,
        *,
        delay: Optional[float] = None,
        not_before: Optional[Moment] = None,
        timeout: Optional[float] = None,
    ) -> bool:
        """Tried again; counts as an attempt, and after max_attempts it is buried.
        delay: seconds (0: at once, before all others; None: the queue's back-off); not_before: Unix seconds or an aware
        datetime, by the server's clock; reason: kept in its history, 512 bytes of it."""
        return await self._settle(settlement(c.SETTLE_RETRY, reason, delay, not_before), timeout)

    async def bury(self, reason: Optional[str] = None, *, timeout: Optional[float] = None) -> bool:
        """To the dead list, with the reason."""
        return await self._settle(settlement(c.SETTLE_BURY, reason), timeout)

    async def hand_back(self, *, timeout: Optional[float] = None) -> bool:
        """Back as if it had not been claimed."""
        return await self._settle(settlement(c.SETTLE_HAND_BACK), timeout)

    async def wait_lost(self, timeout: Optional[float] = None) -> bool:
        """Waits until the lease was lost: True, and the work should end; or until the message was settled: False. Raises
        Timeout after so many seconds (None: waits without limit)."""
        pump = self._pump
        pump.check()
        status = quick.corbel_message_wait_lost(self._pointer, pump.call(None), pump.ticket_to)
        try:
            return bool(await wait_for(pump.result(pump.expect(status)), timeout))
        except TimeoutError:
            raise Timeout(f"message {self.id} was neither lost nor settled within {timeout} s", source="queue") from None

    async def _settle(self, settle: _queue_structs.Settle, timeout: Optional[float]) -> bool:
        pump = self._pump
        pump.check()
        ticket = pump.expect(_settle(self._pointer, ctypes.byref(settle), pump.call(timeout), pump.ticket_to))
        self.settled = True
        return bool(await pump.result(ticket, cancel=False))

    async def __aenter__(self) -> "Message":
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> bool:
        if self.settled:
            return False
        await self._settle(_DONE if error is None else settlement_of(error), None)
        return isinstance(error, (Retry, Bury))
