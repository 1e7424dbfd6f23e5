"""The reading side of a queue in the blocking face."""

import ctypes
import logging
from types import TracebackType
from typing import Callable, List, Optional, Type

from corbel import _constants as c
from corbel._failure import done, failure, opened
from corbel._handle import Handle
from corbel._library import quick
from corbel._message import Bury, HandlerT, Retry, ViewMemory, settlement, settlement_of
from corbel.blocking._inbox import Inbox
from corbel.blocking._locked_handle import LockedHandle
from corbel.blocking._port import Core
from corbel.blocking._threads import Threads
from corbel.blocking.message import Message
from corbel.errors import Closed, Error, Forked, Invalid
from corbel.queue_settings import ConsumerSettings, QueueMemory, at_least_one
from corbel.unworked import tell

_log = logging.getLogger("corbel.queue")


class Consumer:
    """The reading side of a queue. Made by ``redis.consumer()``.

        with r.consumer("work", concurrency=8) as consumer:
            @consumer.handler
            def work(message: corbel.blocking.Message) -> None: ...
            consumer.run()                          # ends after drain(), called by any thread or signal handler

    or by hand, where many threads may iterate at once, and each message comes to one of them:

            for message in consumer:                # ends after drain()
                with message: ...
    """

    def __init__(self, core: Core, pool: Handle, memory: QueueMemory, settings: ConsumerSettings) -> None:
        self._core = core
        self._concurrency = settings.concurrency
        self._unworked = settings.unworked
        self._handler: Optional[Callable[[Message], object]] = None
        self._running: List[Threads] = []  # each of a run()
        self._inbox: Inbox[Message] = Inbox(core, "consumer", self._read, self._tell)
        memory.consumer(settings, self._inbox.queue, 0)
        pointer = opened(quick.corbel_consumer_open, pool.pointer, ctypes.byref(memory.options))
        self._handle = LockedHandle(pointer, quick.corbel_consumer_free)

    def handler(self, function: HandlerT) -> HandlerT:
        """A decorator: run() will call this function for every message."""
        self._handler = function
        return function

    def run(self, handler: Optional[Callable[["Message"], object]] = None) -> None:
        """Has the handler, by default the decorated one, work every message, on ``concurrency`` threads, until drain().

        It returns: done. It raises corbel.Retry or corbel.Bury: as they say. It raises any other exception: retried with the
        exception as reason, which is also logged as "corbel.queue". It may settle the message itself. Work that goes on for
        long should look at ``message.lost``. Ctrl-C ends it: handlers come to their end, and nothing more is begun."""
        function = handler or self._handler
        if function is None:
            raise Invalid("run() has no handler: give one, or decorate one with @consumer.handler")
        work: Callable[[Message], object] = function
        threads = Threads(lambda: self._work(work))
        with self._handle.lock:
            self._running.append(threads)
            threads.grow(self._concurrency)
        try:
            threads.join()
        except BaseException:
            self._inbox.discard()
            threads.join()
            raise
        finally:
            self._running.remove(threads)

    def set_concurrency(self, concurrency: int) -> None:
        """Another concurrency. More: messages are claimed for it at once. Less: what is out comes to its end, and nothing
        more is claimed until fewer are out. prefetch stays."""
        at_least_one(concurrency, "concurrency")
        with self._handle.lock:
            if not self._handle.pointer:
                raise Closed("the consumer was closed")
            done(quick.corbel_consumer_set_concurrency, self._handle.pointer, concurrency)
            self._concurrency = concurrency
            for threads in self._running:
                threads.grow(concurrency)

    def _work(self, handler: Callable[[Message], object]) -> None:
        for message in self:
            how = settlement(c.SETTLE_DONE)
            try:
                handler(message)
            except Exception as error:
                how = settlement_of(error)
                if not isinstance(error, (Retry, Bury)):
                    _log.error("message %s, attempt %d: its handler failed", message.id, message.attempt, exc_info=error)
            try:
                if not message.settled:
                    message._settle(how, None)
            except Error as error:
                _log.warning("message %s could not be settled, and comes back later: %s", message.id, error)

    def get(self, timeout: Optional[float] = None) -> Message:
        """The next message. Raises Timeout after so many seconds, Closed after drain()."""
        return self._inbox.get(timeout)

    def drain(self, timeout: Optional[float] = None) -> int:
        """Stops claiming, hands back what nobody has got yet, waits for so many seconds (None: as long as a lease, at least
        5) until all messages that are out are settled. Iterations end at once, run() when its handlers have. What is not
        settled then is handed back, uncounted as an attempt, and lost for who has it. Returns how many of those there
        were."""
        self._inbox.discard()
        with self._core.port() as port:
            with self._handle.lock:
                if not self._handle.pointer:
                    return 0
                ticket = self._handle.start(port, quick.corbel_consumer_drain, timeout=timeout)
            return int(port.wait(ticket, meanwhile=self._inbox.discard))

    def close(self, timeout: Optional[float] = None) -> int:
        """Drains, then frees it."""
        try:
            return self.drain(timeout)
        finally:
            self._handle.free()

    def _read(
        self, kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int
    ) -> Optional[Message]:
        failure(status, error)
        return Message(self._core, ViewMemory(), object) if kind == c.EVENT_MESSAGE else None

    def _tell(self, kind: int, value: int, object: int) -> bool:
        if kind == c.EVENT_UNWORKED:
            tell(self._unworked, value, object)
        return kind == c.EVENT_UNWORKED

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
