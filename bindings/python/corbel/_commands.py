"""Commands in the asyncio face, on a pool or on a lease."""

from asyncio import CancelledError
from threading import get_ident
from typing import Callable, List, Optional

from corbel._batch import FULL, Batch
from corbel._caller import Argument, encode
from corbel._handle import Handle
from corbel._reply import Reply
from corbel.events import Pump


class Commands:
    """Sends commands through one C function on one C object."""

    def __init__(self, pump: Pump, handle: Handle, send: Callable[..., int], decode: bool, gather: bool = False) -> None:
        """gather: commands of one turn of the loop may leave together, for no order is promised between them."""
        self._pump = pump
        self._handle = handle
        self._send = send
        self._decode = decode
        self._gather = gather
        self._batches: List[Optional[Batch]] = [None] * 4  # what is gathered now, by the options of the call

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

        On a pool with more than a few calls under way, commands of one turn of the loop leave together, at its end or when
        32 wait: what is wrong with one of them is told when it is awaited, as ever.
        """
        pump = self._pump
        text = self._decode if decode is None else decode
        if timeout is None and self._gather and (pump.gathering == get_ident() or pump.gathers()) and arguments:
            slot = idempotent + 2 * text
            batch = self._batches[slot] or pump.begin(self._handle, self._batches, slot)
            parts = [a if type(a) is bytes else a.encode() if type(a) is str else encode(a) for a in arguments]
            index = len(batch.futures)
            future = pump.create_future()
            batch.parts += parts
            batch.counts.append(len(parts))
            batch.futures.append(future)
            if index == FULL - 1:
                batch.send()
            try:
                return await future
            except CancelledError:
                batch.abandon(index, future)
                raise
        ticket = pump.run(self._send, self._handle.pointer, arguments, timeout, idempotent, text)
        future = pump.futures[ticket]
        try:
            return await future
        except CancelledError:
            pump.abandon(ticket, future)
            raise
