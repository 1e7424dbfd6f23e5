"""The writing side of a queue in the asyncio face."""

import ctypes
from types import TracebackType
from typing import Iterable, Optional, Type, Union

from corbel import _queue_structs
from corbel._failure import done, opened
from corbel._handle import Handle
from corbel._library import quick
from corbel._message import Moment
from corbel._puts import Body, Item, puts
from corbel._receipt import Receipt
from corbel.errors import Closed
from corbel.events import Pump
from corbel.queue_settings import Admission, QueueMemory, admission_struct

_put = quick.corbel_producer_put
_SIZE = ctypes.sizeof(_queue_structs.Put)


class Producer:
    """The writing side of a queue. Made by ``redis.producer()``. Puts of many tasks that are under way together leave in one
    round trip."""

    def __init__(self, pump: Pump, pool: Handle, settings: QueueMemory) -> None:
        self._pump = pump
        opener = quick.corbel_producer_open
        self._handle = Handle(opened(opener, pool.pointer, ctypes.byref(settings.options)), quick.corbel_producer_free)

    async def put(
        self,
        body: Body,
        *,
        id: Optional[str] = None,
        lane: Optional[str] = None,
        group: Optional[str] = None,
        idempotency_key: Optional[str] = None,
        delay: Optional[float] = None,
        not_before: Optional[Moment] = None,
        timeout: Optional[float] = None,
    ) -> Receipt:
        """Puts one message; ``receipt.id``, ``receipt.depth``. The parameters: see corbel.Item.

        Raises Busy when admission refuses it, with reason, depth, capacity and retry_after. Lost and Timeout say
        maybe_applied; then it is safe to repeat with its idempotency key."""
        return await self.put_many([Item(body, id, lane, group, idempotency_key, delay, not_before)], timeout=timeout)

    async def put_many(self, items: Iterable[Union[Body, Item]], *, timeout: Optional[float] = None) -> Receipt:
        """Puts items in order, all or none, in one round trip: bodies, or corbel.Item where more is to be said."""
        pump = self._pump
        pump.check()
        array = puts(list(items))
        call = pump.receipt_call(timeout)
        ticket = pump.expect(_put(self._open(), ctypes.addressof(array), len(array), _SIZE, call, pump.ticket_to))
        receipt: Receipt = await pump.result(ticket)
        return receipt

    def set_admission(self, admission: Optional[Admission]) -> None:
        """Other rules of admission for every put that has not been sent yet; None: everything is taken."""
        rules = None if admission is None else ctypes.byref(admission_struct(admission))
        done(quick.corbel_producer_set_admission, self._open(), rules)

    async def depth(self, *, timeout: Optional[float] = None) -> int:
        """How many messages are ready."""
        pump = self._pump
        pump.check()
        status = quick.corbel_producer_depth(self._open(), pump.call(timeout), pump.ticket_to)
        return int(await pump.result(pump.expect(status)))

    async def close(self) -> None:
        """Frees it; puts under way end by themselves."""
        self._handle.free()

    def _open(self) -> int:
        if not self._handle.pointer:
            raise Closed("the producer was closed")
        return self._handle.pointer

    async def __aenter__(self) -> "Producer":
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()
