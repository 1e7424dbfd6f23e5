"""The writing side of a queue in the blocking face."""

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
from corbel.blocking._locked_handle import LockedHandle
from corbel.blocking._port import Core
from corbel.errors import Closed
from corbel.queue_settings import Admission, QueueMemory, admission_struct

_put = quick.corbel_producer_put
_SIZE = ctypes.sizeof(_queue_structs.Put)


class Producer:
    """The writing side of a queue. Made by ``redis.producer()``. Puts of many threads that are under way together leave in
    one round trip."""

    def __init__(self, core: Core, pool: Handle, settings: QueueMemory) -> None:
        self._core = core
        pointer = opened(quick.corbel_producer_open, pool.pointer, ctypes.byref(settings.options))
        self._handle = LockedHandle(pointer, quick.corbel_producer_free)

    def put(
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
        return self.put_many([Item(body, id, lane, group, idempotency_key, delay, not_before)], timeout=timeout)

    def put_many(self, items: Iterable[Union[Body, Item]], *, timeout: Optional[float] = None) -> Receipt:
        """Puts items in order, all or none, in one round trip: bodies, or corbel.Item where more is to be said."""
        array = puts(list(items))
        with self._core.port() as port:
            call = port.receipt_call(timeout)
            ticket = self._handle.start(port, _put, ctypes.addressof(array), len(array), _SIZE, call=call)
            receipt: Receipt = port.wait(ticket)
            return receipt

    def set_admission(self, admission: Optional[Admission]) -> None:
        """Other rules of admission for every put that has not been sent yet; None: everything is taken."""
        rules = None if admission is None else ctypes.byref(admission_struct(admission))
        with self._handle.lock:
            if not self._handle.pointer:
                raise Closed("the producer was closed")
            done(quick.corbel_producer_set_admission, self._handle.pointer, rules)

    def depth(self, *, timeout: Optional[float] = None) -> int:
        """How many messages are ready."""
        with self._core.port() as port:
            return int(port.wait(self._handle.start(port, quick.corbel_producer_depth, timeout=timeout)))

    def close(self) -> None:
        """Frees it; puts under way end by themselves."""
        self._handle.free()

    def __enter__(self) -> "Producer":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()
