"""How a handler works the messages of a consumer, in the asyncio face.

A worker is a task that calls the handler for one message after another, so that a handler which need not wait costs no task
and no turn of the loop. What was worked is settled together, once a turn.
"""

import asyncio
import ctypes
import logging
from array import array
from typing import Any, Callable, Dict, List, Set

from corbel import _constants as c
from corbel import _queue_structs
from corbel._library import quick
from corbel._mailbox import Mailbox
from corbel._message import Bury, Retry, settlement, settlement_of
from corbel.errors import Closed, Error
from corbel.events import Pump
from corbel.message import Message

_log = logging.getLogger("corbel.queue")
_settle_one = quick.corbel_message_settle
_settle_all = quick.corbel_messages_settle
_DONE = settlement(c.SETTLE_DONE)
_DONE_TO = ctypes.byref(_DONE)


class Worker:
    """One task, and whether what it works on was lost."""

    __slots__ = ("lost", "task")

    def __init__(self) -> None:
        self.lost = False
        self.task: Any = None

    def forget(self) -> None:
        """The loss was dealt with: the task goes on as one that nobody wanted to end."""
        self.lost = False
        if hasattr(self.task, "uncancel") and self.task.cancelling():
            self.task.uncancel()


class Workers:
    """Calls one handler for the messages of one mailbox."""

    def __init__(self, pump: Pump, mailbox: Mailbox[Message], handler: Callable[[Message], object]) -> None:
        self._pump = pump
        self._mailbox = mailbox
        self._handler: Callable[[Message], Any] = handler
        self._running: Dict[int, Worker] = {}  # by token
        self._worked: List[Message] = []
        self._settling: Set["asyncio.Future[Any]"] = set()
        self._tasks: Set["asyncio.Task[None]"] = set()
        self._at_work = 0
        self._over: "asyncio.Future[None]" = pump.loop.create_future()  # all have ended, or one as it should not
        self._stopping = False

    async def run(self, concurrency: int) -> None:
        """Until the mailbox is closed. When it is cancelled, or a worker ends as it should not, all workers are."""
        self.grow(concurrency)
        try:
            await self._over
        finally:
            self._stopping = True
            ended = [task for task in self._tasks if task.done()]
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for task in ended:
            task.result()
        self._settle_worked()
        if self._settling:
            await asyncio.wait(self._settling)

    def grow(self, concurrency: int) -> None:
        """So many workers from now on, if there were fewer: what is too many finds nothing to do."""
        while len(self._tasks) < concurrency and not self._stopping and not self._over.done():
            worker = Worker()
            worker.task = self._pump.loop.create_task(self._work(worker))
            worker.task.add_done_callback(self._ended)
            self._tasks.add(worker.task)
            self._at_work += 1

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._at_work -= 1
        failed = not task.cancelled() and task.exception() is not None
        if (failed or self._at_work == 0) and not self._over.done():
            self._over.set_result(None)

    def lost(self, token: int) -> None:
        """For the consumer: the lease of that message was lost."""
        worker = self._running.get(token)
        if worker is not None:
            worker.lost = True
            worker.task.cancel()

    async def _work(self, worker: Worker) -> None:
        handler, running, worked, mailbox = self._handler, self._running, self._worked, self._mailbox
        while True:
            try:
                message = await mailbox.get()
            except Closed:
                return
            token = message.token
            running[token] = worker
            try:
                waits = handler(message)
                if waits is not None:
                    await waits
            except BaseException as error:
                self._failed(worker, message, error)
            else:
                if not message.settled and not worker.lost:
                    message.settled = True
                    if not worked:
                        self._pump.loop.call_soon(self._settle_worked)
                    worked.append(message)
            finally:
                del running[token]
                if worker.lost:
                    worker.forget()

    def _failed(self, worker: Worker, message: Message, error: BaseException) -> None:
        """Settles what a handler did not complete; raises where the worker has to end."""
        cancelled = isinstance(error, asyncio.CancelledError)
        if cancelled and worker.lost and not self._stopping:
            _log.warning("message %s: its lease was lost, its handler was cancelled", message.id)
            return
        if cancelled and not self._stopping and hasattr(worker.task, "cancelling") and not worker.task.cancelling():
            error = Retry("the handler waited for something that was cancelled")
        elif isinstance(error, Exception) and not isinstance(error, (Retry, Bury)):
            _log.error("message %s, attempt %d: its handler failed", message.id, message.attempt, exc_info=error)
        if not message.settled and not worker.lost:
            message.settled = True
            self._settle(message, settlement_of(error))
        if not isinstance(error, Exception):
            raise error

    def _settle(self, message: Message, settle: _queue_structs.Settle) -> None:
        """Settles one, and does not wait."""
        pump = self._pump
        if pump.closed:
            return
        status = _settle_one(message._pointer, ctypes.byref(settle), pump.call(None), pump.ticket_to)
        self._expect(status, [message])

    def _settle_worked(self) -> None:
        """Settles all that were worked since the last turn, in one call."""
        messages = self._worked[:]
        self._worked.clear()
        pump = self._pump
        if not messages or pump.closed:  # what is dropped unsettled goes back
            return
        pointers = array("Q", [message._pointer for message in messages])
        address, count = pointers.buffer_info()
        status = _settle_all(address, count, _DONE_TO, pump.call(None), pump.ticket_to)
        self._expect(status, messages)

    def _expect(self, status: int, messages: List[Message]) -> None:
        """After a settlement was handed over: says in the log when it fails."""
        pump = self._pump
        try:
            future = pump.futures[pump.expect(status)]
        except Error as error:
            _log.warning("%d messages could not be settled, and come back later: %s", len(messages), error)
            return
        self._settling.add(future)
        future.add_done_callback(self._settled)

    def _settled(self, future: "asyncio.Future[Any]") -> None:
        self._settling.discard(future)
        error = None if future.cancelled() else future.exception()
        if error is not None:
            _log.warning("messages could not be settled, and come back when their leases end: %s", error)
