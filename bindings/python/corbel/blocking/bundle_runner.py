"""Running bundles in the blocking face."""

import ctypes
import json
from collections import deque
from ctypes import c_uint64, c_void_p
from types import TracebackType
from typing import Any, Deque, Dict, Optional, Type

from corbel import _constants as c
from corbel import _structs
from corbel._bundle_structs import BundleRunnerOptions
from corbel._failure import opened, received
from corbel._handle import Handle
from corbel._library import quick, waiting
from corbel._options import milliseconds
from corbel.blocking._locked_handle import LockedHandle
from corbel.blocking._port import Core, slice_ms
from corbel.bundle_run import BundleAnswer, HandlerStatus, read_answer, read_handlers, request
from corbel.errors import Closed, Error
from corbel.log import take_bytes

_size = _structs.EVENT.size


class BundleRun:
    """One request to a bundle's handler, for one thread at a time. Made by ``runner.run()``.

        run = runner.run("app", {"text": "hello"})
        for event in run:                         # what the handler tells on the way, decoded from JSON
            print(event)
        answer = run.result()                     # answer.result, answer.commit; or the exception

    Events that nobody reads are kept until the end. ``with`` ends the request when it is left early."""

    def __init__(
        self, core: Core, runner: LockedHandle, bundle: str, task: Any, kind: str, timeout: Optional[float]
    ) -> None:
        self._core = core
        self._events: Deque[Any] = deque()
        self._answer: Optional[BundleAnswer] = None
        self._error: Optional[Error] = None
        asked = request(bundle, task, kind)
        core.check()
        self._queue = Handle(opened(quick.corbel_events_open, core.runtime.pointer, 0), quick.corbel_events_free)
        refusal, ticket = c_void_p(), c_uint64()
        call = _structs.sized(_structs.Call)
        call.to, call.timeout_ms, call.err = self._queue.pointer, milliseconds(timeout), ctypes.addressof(refusal)
        with runner.lock:
            if not runner.pointer:
                raise Closed("the runner was closed")
            status = quick.corbel_bundle_run(runner.pointer, *asked, ctypes.byref(call), ctypes.byref(ticket))
        if status:
            raise received(refusal.value or 0, status)
        self._ticket = ticket.value

    def result(self) -> BundleAnswer:
        """The answer. Events that were not read may be read afterwards. Cancelling the wait ends the request."""
        try:
            while self._answer is None and self._error is None:
                self._take()
        except BaseException:
            self._cancel()
            raise
        if self._error is not None:
            raise self._error
        assert self._answer is not None
        return self._answer

    def close(self) -> None:
        """Ends the request, if it has not ended; nobody is told of what the handler still says."""
        self._cancel()
        self._events.clear()
        if self._answer is None and self._error is None:
            self._error = Closed("the run was closed")
        self._queue.free()

    def end(self) -> None:
        """For the runtime: nothing more comes."""

    def _cancel(self) -> None:
        if self._answer is None and self._error is None and not self._core.closed:
            quick.corbel_cancel(self._core.runtime.pointer, self._ticket)

    def _take(self) -> None:
        """The next event, if one comes soon."""
        event = ctypes.create_string_buffer(_size)
        address = ctypes.addressof(event)
        try:
            taken = waiting.corbel_events_take(self._queue.pointer, address, 1, _size, slice_ms())
        except BaseException:  # a signal's handler raised as the call came back
            quick.corbel_event_clear(address, _size)
            raise
        if not taken:
            self._core.check()
            return
        _, _, kind, status, _, _, _, _, object, error = _structs.EVENT.unpack(event)
        if status:
            self._error = received(error, status)
        elif kind == c.EVENT_BUNDLE_SAID:
            self._events.append(json.loads(take_bytes(object)))
        else:
            self._answer = read_answer(take_bytes(object))

    def __iter__(self) -> "BundleRun":
        return self

    def __next__(self) -> Any:
        while not self._events:
            if self._answer is not None or self._error is not None:
                raise StopIteration
            self._take()
        return self._events.popleft()

    def __enter__(self) -> "BundleRun":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


class BundleRunner:
    """Runs the handlers of bundles: programs in any language, long-lived, that take requests and answer in lines of JSON.
    Made by ``loader.runner()``.

        with loader.runner() as runner:
            answer = runner.run("app", {"text": "hello"}).result()

    When another commit becomes current, new requests go to its handler, and running ones end on the old one's."""

    def __init__(self, core: Core, loader: int, options: BundleRunnerOptions) -> None:
        self._core = core
        self._handle = LockedHandle(
            opened(quick.corbel_bundle_runner_open, loader, ctypes.byref(options)), quick.corbel_bundle_runner_free
        )

    def run(self, bundle: str, task: Any = None, *, kind: str = "turn", timeout: Optional[float] = None) -> BundleRun:
        """Gives a request to the handler of a bundle.

        - task: what the handler is given, anything that JSON can say; kind: "turn" or "operation"
        - timeout: seconds; by default the manifest's limit, which counts in any case once a handler has the request
        """
        return BundleRun(self._core, self._handle, bundle, task, kind, timeout)

    def status(self) -> Dict[str, HandlerStatus]:
        """Bundles that were run so far, by id."""
        self._core.check()
        return read_handlers(self._open())

    def close(self) -> None:
        """Ends the handlers, and what is under way."""
        self._handle.free()

    def _open(self) -> int:
        if not self._handle.pointer:
            raise Closed("the runner was closed")
        return self._handle.pointer

    def __enter__(self) -> "BundleRunner":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()
