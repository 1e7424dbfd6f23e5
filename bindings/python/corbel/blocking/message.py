"""One leased message in the blocking face."""

import ctypes
from types import TracebackType
from typing import Optional, Type

from corbel import _constants as c
from corbel import _queue_structs
from corbel._library import quick
from corbel._message import Bury, MessageBase, Moment, Retry, ViewMemory, settlement, settlement_of
from corbel.blocking._port import Core

_settle = quick.corbel_message_settle
_DONE = settlement(c.SETTLE_DONE)


class Message(MessageBase):
    """One leased message of a consumer.

        with message: work(message.body)            # done; retried when it raises; handed back at Ctrl-C and the like

    Within the block ``raise corbel.Retry(delay=30)`` and ``raise corbel.Bury("why")`` do as they say, and the block ends.
    """

    __slots__ = ("_core",)

    def __init__(self, core: Core, memory: ViewMemory, pointer: int) -> None:
        super().__init__(memory, pointer)
        self._core = core

    def done(self, *, timeout: Optional[float] = None) -> bool:
        """Worked: removes it. False when the lease had been lost, and another may have it. Once: State the second time,
        unless the first one failed."""
        return self._settle(_DONE, timeout)

    def retry(
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
        return self._settle(settlement(c.SETTLE_RETRY, reason, delay, not_before), timeout)

    def bury(self, reason: Optional[str] = None, *, timeout: Optional[float] = None) -> bool:
        """To the dead list, with the reason."""
        return self._settle(settlement(c.SETTLE_BURY, reason), timeout)

    def hand_back(self, *, timeout: Optional[float] = None) -> bool:
        """Back as if it had not been claimed."""
        return self._settle(settlement(c.SETTLE_HAND_BACK), timeout)

    def wait_lost(self, timeout: Optional[float] = None) -> bool:
        """Waits until the lease was lost: True, and the work should end; or until the message was settled: False. Raises
        Timeout after so many seconds (None: waits without limit)."""
        with self._core.port() as port:
            status = quick.corbel_message_wait_lost(self._pointer, port.call(None), port.ticket_to)
            return bool(port.wait(port.start(status), timeout=timeout))

    def _settle(self, settle: _queue_structs.Settle, timeout: Optional[float]) -> bool:
        with self._core.port() as port:
            ticket = port.start(_settle(self._pointer, ctypes.byref(settle), port.call(timeout), port.ticket_to))
            self.settled = True
            return bool(port.wait(ticket, cancel=False))

    def __enter__(self) -> "Message":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> bool:
        if self.settled:
            return False
        self._settle(_DONE if error is None else settlement_of(error), None)
        return isinstance(error, (Retry, Bury))
