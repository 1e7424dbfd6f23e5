"""Running bundles in the asyncio face."""

import asyncio
import ctypes
import json
from types import TracebackType
from typing import Any, Dict, Optional, Type

from corbel._bundle_structs import BundleRunnerOptions
from corbel._failure import failure, opened
from corbel._handle import Handle
from corbel._library import quick
from corbel._mailbox import Mailbox
from corbel.bundle_run import BundleAnswer, HandlerStatus, read_answer, read_handlers, request
from corbel.errors import Closed
from corbel.events import Pump
from corbel.log import take_bytes


class BundleRun:
    """One request to a bundle's handler. Made by ``runner.run()``.

        run = runner.run("app", {"text": "hello"})
        async for event in run:                         # what the handler tells on the way, decoded from JSON
            print(event)
        answer = await run.result()                     # answer.result, answer.commit; or the exception

    Events that nobody reads are kept until the end. ``async with`` ends the request when it is left early."""

    def __init__(self, pump: Pump, runner: int, bundle: str, task: Any, kind: str, timeout: Optional[float]) -> None:
        self._pump = pump
        self._mailbox: Mailbox[Any] = Mailbox(pump.loop, "run")
        asked = request(bundle, task, kind)
        pump.check()
        call = pump.call_of(pump.register(self), timeout)
        self._ticket = pump.expect(quick.corbel_bundle_run(runner, *asked, call, pump.ticket_to))
        self._future: "asyncio.Future[bytes]" = pump.futures[self._ticket]
        self._future.add_done_callback(self._done)

    async def result(self) -> BundleAnswer:
        """The answer. Events that were not read may be read afterwards. Cancelling the wait ends the request."""
        try:
            return read_answer(await self._future)
        except asyncio.CancelledError:
            self._pump.abandon(self._ticket, self._future)
            raise

    async def close(self) -> None:
        """Ends the request, if it has not ended; nobody is told of what the handler still says."""
        if not self._future.done():
            self._pump.abandon(self._ticket, self._future)
            self._future.cancel()
        self._mailbox.clear()
        self._mailbox.close()

    def end(self) -> None:
        """For the pump: nothing more comes."""
        self._mailbox.close()

    def receive(self, kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int) -> None:
        """For the pump."""
        failure(status, error)
        if object:
            self._mailbox.put(json.loads(take_bytes(object)))

    def _done(self, future: "asyncio.Future[bytes]") -> None:
        if not future.cancelled():
            future.exception()  # who wants it asks for the result
        self._mailbox.close()

    def __aiter__(self) -> "BundleRun":
        return self

    async def __anext__(self) -> Any:
        try:
            return await self._mailbox.get()
        except Closed:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> "BundleRun":
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()


class BundleRunner:
    """Runs the handlers of bundles: programs in any language, long-lived, that take requests and answer in lines of JSON.
    Made by ``loader.runner()``.

        async with loader.runner() as runner:
            answer = await runner.run("app", {"text": "hello"}).result()

    When another commit becomes current, new requests go to its handler, and running ones end on the old one's."""

    def __init__(self, pump: Pump, loader: int, options: BundleRunnerOptions) -> None:
        self._pump = pump
        self._handle = Handle(
            opened(quick.corbel_bundle_runner_open, loader, ctypes.byref(options)), quick.corbel_bundle_runner_free
        )

    def run(self, bundle: str, task: Any = None, *, kind: str = "turn", timeout: Optional[float] = None) -> BundleRun:
        """Gives a request to the handler of a bundle.

        - task: what the handler is given, anything that JSON can say; kind: "turn" or "operation"
        - timeout: seconds; by default the manifest's limit, which counts in any case once a handler has the request
        """
        return BundleRun(self._pump, self._open(), bundle, task, kind, timeout)

    def status(self) -> Dict[str, HandlerStatus]:
        """Bundles that were run so far, by id."""
        return read_handlers(self._open())

    async def close(self) -> None:
        """Ends the handlers, and what is under way."""
        self._handle.free()

    def _open(self) -> int:
        if not self._handle.pointer:
            raise Closed("the runner was closed")
        return self._handle.pointer

    async def __aenter__(self) -> "BundleRunner":
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()
