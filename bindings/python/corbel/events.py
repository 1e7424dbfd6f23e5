"""The pump: brings the library's events into one asyncio loop.

There is one completion queue per runtime, and it has one descriptor, which the loop watches like a socket. When it turns
readable the pump takes all events there are in one call, unpacks them in one go, and sets the futures that wait for them.
No thread of the library ever runs Python code. Of the loop only add_reader, remove_reader, call_soon and create_future are
used (call_later, where a wait was given a time-out, and is_closed at the end), so that uvloop and its like serve as well.

Everything here runs on the loop's thread.
"""

import asyncio
import ctypes
import logging
import os
import weakref
from asyncio import _get_running_loop as running_loop
from itertools import count
from typing import Any, Callable, Dict, Optional, Protocol, Sequence

from corbel import _constants as c
from corbel import _structs, log
from corbel._caller import Argument, Caller
from corbel._failure import opened, received
from corbel._handle import Handle
from corbel._library import quick
from corbel.errors import Closed, Forked, State

_BATCH = 256
_take = quick.corbel_events_take
_events = _structs.EVENT.iter_unpack
_size = _structs.EVENT.size


class Receiver(Protocol):
    """Gets the notices of one handle. Owns the object and the error of each."""

    def receive(self, kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int) -> None: ...

    def end(self) -> None:
        """Nothing more comes: its pool was closed or its runtime shut down."""


class Pump(Caller):
    """Starts calls and resolves their futures; ``futures`` holds what is under way, by ticket."""

    def __init__(self, runtime: Handle, loop: asyncio.AbstractEventLoop) -> None:
        self.runtime = runtime
        self.loop = loop
        self.futures: Dict[int, "asyncio.Future[Any]"] = {}
        self.closed = False
        self._create_future = loop.create_future
        self._receivers: "weakref.WeakValueDictionary[int, Receiver]" = weakref.WeakValueDictionary()
        self._users = count(1)
        self._process = os.getpid()
        self._buffer = ctypes.create_string_buffer(_BATCH * _size)
        self._address = ctypes.addressof(self._buffer)
        self._view = memoryview(self._buffer)
        self._queue = Handle(opened(quick.corbel_events_open, runtime.pointer, 0), quick.corbel_events_free)
        super().__init__(self._queue.pointer)
        self._descriptor: int = quick.corbel_events_fd(self._queue.pointer)
        loop.add_reader(self._descriptor, self.drain)

    @property
    def queue(self) -> int:
        """The queue, for options of handles whose notices come to receivers."""
        return self._queue.pointer

    # ---- starting

    def check(self) -> None:
        """Refuses callers that are not on this pump's loop: its memory serves one thread."""
        if running_loop() is not self.loop:
            self._refuse_stranger()
        if self.closed:
            raise Closed("the runtime was shut down", source="runtime")

    def check_end(self) -> None:
        """As check, for shutting down: a closed runtime too, and from another loop when its own was closed. (In a forked
        child no loop runs, or a new one; well so, for the old one's epoll is the parent's still.)"""
        if running_loop() is not self.loop and not self.loop.is_closed():
            self._refuse_stranger()

    def _refuse_stranger(self) -> None:
        if os.getpid() != self._process:
            raise Forked("the runtime was opened before the fork; open one in this process", source="runtime")
        raise State("the runtime was opened in another event loop; open one in each loop", source="runtime")

    def run(
        self,
        function: Callable[..., int],
        handle: int,
        arguments: Sequence[Argument],
        timeout: Optional[float],
        idempotent: bool,
        text: bool,
    ) -> int:
        """Starts one command; its future is in ``futures``."""
        if running_loop() is not self.loop or self.closed:
            self.check()
        ticket = self.command(function, handle, arguments, timeout, idempotent, text)
        self.futures[ticket] = self._create_future()
        return ticket

    def expect(self, status: int) -> int:
        """After any other call was handed over: its ticket, whose future is in ``futures``, or the exception."""
        return self.track(self.start(status))

    def track(self, ticket: int) -> int:
        """Has a future for a ticket that was just started."""
        self.futures[ticket] = self._create_future()
        return ticket

    async def result(self, ticket: int, cancel: bool = True) -> Any:
        """Waits for a ticket; when the waiting task is cancelled, so is the call, unless told otherwise."""
        future = self.futures[ticket]
        try:
            return await future
        except asyncio.CancelledError:
            self.abandon(ticket, future, cancel)
            raise

    async def handle(self, ticket: int, free: Callable[[int], Any]) -> int:
        """Waits for a ticket whose event brings an object: its address. Nobody else frees it from then on."""
        future = self.futures[ticket]
        try:
            return int(await future)
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                free(future.result())  # it came in the same turn; nobody will have it
            self.abandon(ticket, future)
            raise

    def abandon(self, ticket: int, future: "asyncio.Future[Any]", cancel: bool = True) -> None:
        """Nobody waits any more: asks the library to end the call. Its late event is swept by drain."""
        if ticket in self.futures:
            if cancel and not self.closed:
                quick.corbel_cancel(self.runtime.pointer, ticket)
        elif not future.cancelled():
            future.exception()  # the event came first; marks its exception as seen

    # ---- notices

    def register(self, receiver: Receiver) -> int:
        """A user number under which the receiver gets its notices for as long as it is referenced."""
        user = next(self._users)
        self._receivers[user] = receiver
        return user

    def drain(self) -> int:
        """Takes what is there and hands it on; the descriptor stays readable while there is more. Returns how many."""
        taken = _take(self._queue.pointer, self._address, _BATCH, _size, 0)
        futures = self.futures
        decode = self.decoder.take
        for ticket, user, kind, status, _, flags, value, epoch, object, error in _events(self._view[: taken * _size]):
            future = futures.pop(ticket, None)
            try:
                if future is None or future.done():
                    self._notice(ticket, user, kind, status, flags, value, epoch, object, error)
                elif status:
                    future.set_exception(received(error, status))
                elif kind == c.EVENT_REPLY:
                    future.set_result(decode(object, user == 1))
                else:
                    future.set_result(self.outcome(kind, user, value, object))
            except Exception as problem:  # a reply that is no UTF-8, for example: its caller is told, the rest goes on
                if future is not None and not future.done():
                    future.set_exception(problem)
                else:
                    logging.getLogger("corbel.events").exception("an event could not be handed on")
        return int(taken)

    def _notice(
        self, ticket: int, user: int, kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int
    ) -> None:
        if not ticket and kind == c.EVENT_LOG:
            self.loop.call_soon(log.emit, value, flags, log.take_text(object))
            return
        receiver = None if ticket else self._receivers.get(user)
        if receiver is not None:
            receiver.receive(kind, status, flags, value, epoch, object, error)
        else:
            sweep(kind, object, error)

    # ---- the end

    def close(self) -> None:
        """Leaves the loop and frees the queue. Calls that nobody answered end as Closed."""
        if self.closed:
            return
        self.closed = True
        if not self.loop.is_closed():
            self.loop.remove_reader(self._descriptor)
            while self.drain():
                pass
            for receiver in list(self._receivers.values()):
                receiver.end()
        else:  # nobody can be told any more
            self.futures.clear()
        for future in self.futures.values():
            if not future.done():
                future.set_exception(Closed("the runtime was shut down", source="runtime"))
        self.futures.clear()
        self.detach()
        self._queue.free()


def sweep(kind: int, object: int, error: int) -> None:
    """Frees what an event holds that nobody waits for."""
    if object or error:
        event = ctypes.create_string_buffer(_size)
        _structs.EVENT.pack_into(event, 0, 0, 0, kind, 0, 0, 0, 0, 0, object, error)
        quick.corbel_event_clear(ctypes.addressof(event), _size)
