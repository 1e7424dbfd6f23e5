"""A queue on Redis lists in the blocking face: at least once."""

import ctypes
import threading
from types import TracebackType
from typing import Iterable, Optional, Type, Union

from corbel import _constants as c
from corbel import _structs
from corbel._failure import failure, opened
from corbel._handle import Handle
from corbel._library import quick
from corbel._options import queue_options
from corbel.blocking._inbox import Inbox
from corbel.blocking._port import Core
from corbel.errors import Closed, Forked
from corbel.message import Body, Item, MessageBase, puts, settlement


class Producer:
    """The writing side of a queue. Made by ``redis.producer()``."""

    def __init__(self, core: Core, pool: Handle, name: Optional[str]) -> None:
        self._core = core
        self._lock = threading.RLock()
        options = queue_options(name)
        opener = quick.corbel_producer_open
        self._handle = Handle(opened(opener, pool.pointer, ctypes.byref(options)), quick.corbel_producer_free)

    def put(self, body: Body, *, id: Optional[str] = None, timeout: Optional[float] = None) -> int:
        """Puts one message; returns the depth of the queue after it. Lost and Timeout say maybe_applied."""
        return self.put_all([Item(body, id)], timeout=timeout)

    def put_all(self, items: Iterable[Union[Body, Item]], *, timeout: Optional[float] = None) -> int:
        """Puts items in order, all or none, in one round trip."""
        array = puts(*items)
        size = ctypes.sizeof(_structs.Put)
        with self._core.port() as port:
            with self._lock:
                status = quick.corbel_producer_put(
                    self._open(), ctypes.addressof(array), len(array), size, port.call(timeout), port.ticket_to
                )
            return int(port.wait(port.start(status)))

    def depth(self, *, timeout: Optional[float] = None) -> int:
        """How many messages are ready."""
        with self._core.port() as port:
            with self._lock:
                status = quick.corbel_producer_depth(self._open(), port.call(timeout), port.ticket_to)
            return int(port.wait(port.start(status)))

    def close(self) -> None:
        """Frees it; puts under way end by themselves."""
        with self._lock:
            self._handle.free()

    def _open(self) -> int:
        if not self._handle.pointer:
            raise Closed("the producer was closed")
        return self._handle.pointer

    def __enter__(self) -> "Producer":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


class Message(MessageBase):
    """One leased message of a consumer.

        with message: work(message.body)            # done; retry when it raises; handed back at Ctrl-C and the like
    """

    def __init__(self, core: Core, pointer: int) -> None:
        super().__init__(pointer)
        self._core = core

    def done(self, *, timeout: Optional[float] = None) -> bool:
        """Worked: removes it. False when the lease had been lost, and another may have it."""
        return self._settle(c.SETTLE_DONE, None, timeout)

    def retry(self, reason: Optional[str] = None, *, timeout: Optional[float] = None) -> bool:
        """Back to the queue's front; counts as an attempt."""
        return self._settle(c.SETTLE_RETRY, reason, timeout)

    def hand_back(self, reason: Optional[str] = None, *, timeout: Optional[float] = None) -> bool:
        """Back as if it had not been claimed."""
        return self._settle(c.SETTLE_HAND_BACK, reason, timeout)

    def _settle(self, how: int, reason: Optional[str], timeout: Optional[float]) -> bool:
        settle = settlement(how, reason)
        with self._core.port() as port:
            message = Handle(self._take(), quick.corbel_message_free)  # freed when this ends, settled or not
            call = port.call(timeout)
            ticket = port.start(quick.corbel_message_settle(message.pointer, ctypes.byref(settle), call, port.ticket_to))
            return bool(port.wait(ticket, cancel=False))

    def __enter__(self) -> "Message":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if self.settled:
            return
        if error is None:
            self.done()
        elif isinstance(error, Exception):
            self.retry(f"{type(error).__name__}: {error}")
        else:
            self.hand_back(type(error).__name__)


class Consumer:
    """The reading side of a queue. Made by ``redis.consumer()``.

        with r.consumer("work", concurrency=8) as consumer:
            for message in consumer:                # ends after drain(), called by any thread
                with message: ...

    Many threads may iterate at once; each message comes to one of them.
    """

    def __init__(
        self, core: Core, pool: Handle, name: Optional[str], concurrency: int, prefetch: int, lease: Optional[float]
    ) -> None:
        self._core = core
        self._lock = threading.RLock()
        self._inbox: Inbox[Message] = Inbox(core, "consumer", self._read)
        options = queue_options(name, concurrency=concurrency, prefetch=prefetch, lease=lease, to=self._inbox.queue)
        opener = quick.corbel_consumer_open
        self._handle = Handle(opened(opener, pool.pointer, ctypes.byref(options)), quick.corbel_consumer_free)

    def get(self, timeout: Optional[float] = None) -> Message:
        """The next message. Raises Timeout after so many seconds, Closed after drain()."""
        return self._inbox.get(timeout)

    def drain(self, timeout: Optional[float] = None) -> int:
        """Stops claiming, hands back what nobody has got yet, waits for so many seconds (5) until all messages that are
        out are settled. Iterations end at once. Returns how many messages were left."""
        self._inbox.discard()
        with self._core.port() as port:
            with self._lock:
                if not self._handle.pointer:
                    return 0
                status = quick.corbel_consumer_drain(self._handle.pointer, port.call(timeout), port.ticket_to)
            return int(port.wait(port.start(status), meanwhile=self._inbox.discard))

    def close(self, timeout: Optional[float] = None) -> int:
        """Drains, then frees it."""
        try:
            return self.drain(timeout)
        finally:
            with self._lock:
                self._handle.free()

    def _read(
        self, kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int
    ) -> Optional[Message]:
        failure(status, error)
        return Message(self._core, object) if kind == c.EVENT_MESSAGE else None

    def end(self) -> None:
        """For the pool: nothing more comes."""
        self._inbox.close()

    def __iter__(self) -> "Consumer":
        return self

    def __next__(self) -> Message:
        try:
            return self.get()
        except Closed:
            raise StopIteration from None

    def __enter__(self) -> "Consumer":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        try:
            self.close()
        except (Closed, Forked):
            pass
