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
from threading import get_ident
from typing import Any, Callable, Optional, Protocol, Sequence, Tuple

from corbel import _constants as c
from corbel import _structs, log
from corbel._batch import FEW, Gathering
from corbel._caller import Argument
from corbel._failure import opened, received
from corbel._handle import Handle
from corbel._library import quick
from corbel.errors import Closed, Forked, State

_BATCH = 256
_take = quick.corbel_events_take
_read = quick.corbel_replies_read
_event = _structs.EVENT.unpack_from
_size = _structs.EVENT.size
_answers = _structs.ANSWER.iter_unpack
_each = _structs.ANSWER.size
_ROOM = 64 * 1024  # bytes of strings that are read at once; longer ones are read one by one


class Receiver(Protocol):
    """Gets the notices of one handle. Owns the object and the error of each."""

    def receive(self, kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int) -> None: ...

    def end(self) -> None:
        """Nothing more comes: its pool was closed or its runtime shut down."""


class Pump(Gathering):
    """Starts calls and resolves their futures; ``futures`` holds what is under way, by ticket."""

    def __init__(self, runtime: Handle, loop: asyncio.AbstractEventLoop) -> None:
        self.runtime = runtime
        self.closed = False
        self._receivers: "weakref.WeakValueDictionary[int, Receiver]" = weakref.WeakValueDictionary()
        self._users = count(1)
        self._process = os.getpid()
        self._buffer = ctypes.create_string_buffer(_BATCH * _size)
        self._address = ctypes.addressof(self._buffer)
        self._answers = ctypes.create_string_buffer(_BATCH * _each)
        self._answers_address = ctypes.addressof(self._answers)
        self._answers_view = memoryview(self._answers)
        self._memory = ctypes.create_string_buffer(_ROOM)
        self._memory_address = ctypes.addressof(self._memory)
        self._memory_view = memoryview(self._memory)
        self._queue = Handle(opened(quick.corbel_events_open, runtime.pointer, 0), quick.corbel_events_free)
        super().__init__(self._queue.pointer, loop)
        self._descriptor: int = quick.corbel_events_fd(self._queue.pointer)
        loop.add_reader(self._descriptor, self.drain)

    @property
    def queue(self) -> int:
        """The queue, for options of handles whose notices come to receivers."""
        return self._queue.pointer

    # ---- starting

    def check(self) -> None:
        """Refuses callers that are not on this pump's loop: its memory serves one thread."""
        if self.gathering == get_ident():
            return  # within a turn of the loop; asking for the running one costs a call into the system
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
        self.check()
        ticket = self.command(function, handle, arguments, timeout, idempotent, text)
        self.futures[ticket] = self.create_future()
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
        used = _read(self._address, taken, _size, self._answers_address, _each, self._memory_address, _ROOM)
        data = self._memory_view[:used].tobytes()
        at = 0
        pop = self.futures.pop
        for ticket, user, kind, index, value, _ in _answers(self._answers_view[: taken * _each]):
            if kind == c.ANSWER_NONE:
                self._hand_on(_event(self._buffer, index * _size))
                continue
            future = pop(ticket, None)
            result: Any = None
            if kind == c.NODE_STRING or kind == c.NODE_STATUS:
                result = data[at : at + value]
                at += value
            elif kind == c.NODE_INTEGER:
                result = value
            if future is None or future.done():
                continue
            if user == 1 and type(result) is bytes:
                try:
                    result = result.decode()
                except UnicodeDecodeError as problem:  # its caller is told, the rest goes on
                    future.set_exception(problem)
                    continue
            future.set_result(result)
        if taken > FEW and not self.gathering and not self.closed:
            self.gather()  # the tasks that were woken run before it ends
        return int(taken)

    def _hand_on(self, event: Tuple[Any, ...]) -> None:
        """Hands on whatever was not a plain reply."""
        ticket, user, kind, status, _, flags, value, epoch, object, error = event
        future = self.futures.pop(ticket, None)
        try:
            if future is None or future.done():
                self._notice(ticket, user, kind, status, flags, value, epoch, object, error)
            elif status:
                future.set_exception(received(error, status))
            else:
                future.set_result(self.outcome(kind, user, value, object))
        except Exception as problem:  # a reply that is no UTF-8, for example: its caller is told, the rest goes on
            if future is not None and not future.done():
                future.set_exception(problem)
            else:
                logging.getLogger("corbel.events").exception("an event could not be handed on")

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
        if not self.loop.is_closed():
            self.flush()
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
