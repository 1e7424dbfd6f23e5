"""Commands of one turn of the loop, which leave together: one call into the library, one wake-up of its thread."""

from array import array
from asyncio import AbstractEventLoop, Future
from threading import get_ident
from typing import Any, Callable, Dict, List, Optional

from corbel._caller import Caller
from corbel._failure import describe
from corbel._handle import Handle
from corbel._library import quick
from corbel.errors import Closed, Error

FEW = 4  # so many under way are not worth gathering
# So many leave at once, before the turn ends: the server works on them while the tasks go on.
FULL = 32
_send_many = quick.corbel_redis_send_many
_error_free = quick.corbel_error_free


class Batch:
    """Gathers commands of one pool that are called with the same options. Loop's thread only; used for one call."""

    def __init__(self, pump: "Gathering", handle: Handle, slots: "List[Optional[Batch]]", slot: int) -> None:
        self._pump = pump
        self._handle = handle
        self._slots = slots
        self._slot = slot
        self.parts: List[bytes] = []  # the arguments of all commands
        self.counts: List[int] = []  # how many each has
        self.futures: "List[Future[Any]]" = []
        self._first = 0  # ticket of the first one, when they were sent
        self._gone: Optional[List[int]] = []  # given up before they were sent; None: they were
        slots[slot] = self

    def send(self) -> None:
        """Hands all over. Whatever happens to them is told by their futures."""
        self._slots[self._slot] = None
        gone, self._gone = self._gone, None
        if gone is None:
            return
        futures, parts, counts = self.futures, self.parts, self.counts
        self.futures, self.parts, self.counts = [], [], []
        if not self._handle.pointer:
            return _fail(futures, lambda: Closed("the handle was closed or given back"))
        pump = self._pump
        status = _send_many(
            self._handle.pointer,
            b"".join(parts),
            array("Q", map(len, parts)).tobytes(),
            array("I", counts).tobytes(),
            len(counts),
            pump.call_like(self._slot),
            pump.ticket_to,
        )
        if status:
            refusal = pump.take_refusal()
            _fail(futures, lambda: describe(refusal, status))
            if refusal:
                _error_free(refusal)
            return
        first = self._first = pump.last_ticket()
        pump.futures.update(zip(range(first, first + len(futures)), futures))
        for index in gone:
            pump.abandon(first + index, futures[index])

    def abandon(self, index: int, future: "Future[Any]") -> None:
        """Nobody waits any more for the command of that index."""
        if self._gone is not None:
            self._gone.append(index)
        elif self._first:
            self._pump.abandon(self._first + index, future)
        elif not future.cancelled():
            future.exception()  # marks it as seen


def _fail(futures: "List[Future[Any]]", error: Callable[[], Error]) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error())


class Gathering(Caller):
    """Starts calls of one loop and gathers commands, which are sent when its present turn ends."""

    def __init__(self, queue: int, loop: AbstractEventLoop) -> None:
        super().__init__(queue)
        self.loop = loop
        self.futures: "Dict[int, Future[Any]]" = {}  # of what was sent, by ticket
        self.create_future = loop.create_future
        self.gathering = 0  # the loop's thread while commands are gathered
        self._batches: List[Batch] = []

    def check(self) -> None:
        """Refuses callers that are not on this loop."""
        raise NotImplementedError

    def abandon(self, ticket: int, future: "Future[Any]", cancel: bool = True) -> None:
        """Nobody waits any more for what was sent."""
        raise NotImplementedError

    def expect(self, status: int) -> int:
        """After any other call was handed over: its ticket, whose future is in ``futures``, or the exception."""
        return self.track(self.start(status))

    def track(self, ticket: int) -> int:
        """Has a future for a ticket that was just started."""
        self.futures[ticket] = self.create_future()
        return ticket

    def gathers(self) -> bool:
        """Whether what is started now is better gathered until the end of the turn: when more than a few are under way."""
        if len(self.futures) <= FEW:
            return False
        self.check()
        self.gather()
        return True

    def gather(self) -> None:
        """Begins to gather, until what is scheduled in the loop by now has run."""
        self.gathering = get_ident()
        self.loop.call_soon(self.flush)

    def begin(self, handle: Handle, slots: List[Optional[Batch]], slot: int) -> Batch:
        """A new batch in that slot, which is sent at the end of the turn at the latest."""
        if not handle.pointer:
            raise Closed("the handle was closed or given back")
        batch = Batch(self, handle, slots, slot)
        self._batches.append(batch)
        return batch

    def flush(self) -> None:
        """Sends what was gathered."""
        self.gathering = 0
        if self._batches:
            batches, self._batches = self._batches, []
            for batch in batches:
                batch.send()
