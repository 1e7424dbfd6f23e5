"""Commands in the asyncio face, on a pool or on a lease."""

from asyncio import CancelledError
from typing import Callable, Optional

from corbel._caller import Argument
from corbel._handle import Handle
from corbel._reply import Reply
from corbel.events import Pump


class Commands:
    """Sends commands through one C function on one C object."""

    def __init__(self, pump: Pump, handle: Handle, send: Callable[..., int], decode: bool) -> None:
        self._pump = pump
        self._handle = handle
        self._send = send
        self._decode = decode

    async def execute(
        self,
        *arguments: Argument,
        timeout: Optional[float] = None,
        idempotent: bool = False,
        decode: Optional[bool] = None,
    ) -> Reply:
        """Sends one command and waits for its reply: bytes, int, None or a list of them.

        - arguments: bytes as they are, str as UTF-8, int and float as text
        - timeout: seconds; None: the pool's call_timeout; math.inf: no limit
        - idempotent: it may be sent again, once, after a loss or a time-out
        - decode: strings of the reply as str; None: as the pool was opened
        """
        pump = self._pump
        ticket = pump.run(
            self._send, self._handle.pointer, arguments, timeout, idempotent, self._decode if decode is None else decode
        )
        future = pump.futures[ticket]
        try:
            return await future
        except CancelledError:
            pump.abandon(ticket, future)
            raise
