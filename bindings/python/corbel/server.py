"""The HTTP server in the asyncio face."""

import asyncio
import ctypes
from types import TracebackType
from typing import Callable, Optional, Set, Type

from corbel._failure import opened, received
from corbel._handle import Handle
from corbel._http_structs import HttpOptions, http_options
from corbel._library import quick
from corbel._mailbox import Mailbox
from corbel._options import text
from corbel.errors import Closed
from corbel.events import Pump
from corbel.http import Handler, Handlers, Request, failed, read_request


class HttpServer:
    """/livez, /readyz, /health and /metrics, and the host's own routes. Made by ``rt.http()``.

        async with rt.http(port=8080) as server:
            @server.route("GET", "/hello")
            async def hello(request: corbel.Request):
                return {"hello": request.parameter("name")}

            await server.run()

    A handler returns text, bytes, a Response, or what JSON can carry; what it raises is answered 500 and logged. Requests of
    routes without a handler come to readers: ``async for request in server: request.answer(...)``.
    """

    def __init__(self, pump: Pump, runtime: Handle, options: HttpOptions) -> None:
        self._pump = pump
        self._handlers = Handlers()
        self._mailbox: Mailbox[Request] = Mailbox(pump.loop, "server")
        self._tasks: "Set[asyncio.Future[None]]" = set()
        options.to = pump.queue
        options.user = pump.register(self)
        pointer = opened(quick.corbel_http_open, runtime.pointer, ctypes.byref(options))
        self._handle = Handle(pointer, quick.corbel_http_free)
        #: The port that was opened.
        self.port: int = quick.corbel_http_port(pointer)

    def route(self, method: str, path: str) -> Callable[[Handler], Handler]:
        """Adds a route; a path that ends in "/*" holds for all below it. The result makes an async function its handler."""
        error = ctypes.c_void_p()
        method_text, path_text = text(method, "method"), text(path, "path")
        status = quick.corbel_http_route(self._open(), method_text, path_text, ctypes.byref(error))
        if status:
            raise received(error.value or 0, status)
        return lambda handler: self._handlers.add(method, path, handler)

    async def get(self, timeout: Optional[float] = None) -> Request:
        """The next request of a route without a handler. Raises Timeout after so many seconds, Closed when the server was
        closed."""
        return await self._mailbox.get(timeout)

    async def run(self) -> None:
        """Serves the routes that have handlers until the server is closed."""
        while True:
            try:
                (await self.get()).close()
            except Closed:
                return

    async def stop(self, timeout: Optional[float] = None) -> int:
        """Accepts no more and completes the requests under way; what is left after so many seconds (10) is cut. Returns how
        many were."""
        pump = self._pump
        pump.check()
        status = quick.corbel_http_stop(self._open(), pump.call(timeout), pump.ticket_to)
        return int(await pump.result(pump.expect(status)))

    async def close(self) -> None:
        """Closes every connection at once. Readers get what is there, then their loops end."""
        self._handle.free()
        self._mailbox.close()

    def end(self) -> None:
        """For the pump: nothing more comes."""
        self._mailbox.close()

    def receive(self, kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int) -> None:
        """For the pump."""
        request = read_request(kind, status, flags, value, epoch, object, error)
        if request is None:
            return
        handler = self._handlers.find(request)
        if handler is None:
            self._mailbox.put(request)
            return
        task = asyncio.ensure_future(self._serve(request, handler), loop=self._pump.loop)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, request: Request, handler: Handler) -> None:
        try:
            request.answer(await handler(request))
        except Exception:
            failed(request)
        finally:
            request.close()

    def _open(self) -> int:
        if not self._handle.pointer:
            raise Closed("the server was closed")
        return self._handle.pointer

    def __aiter__(self) -> "HttpServer":
        return self

    async def __anext__(self) -> Request:
        try:
            return await self.get()
        except Closed:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> "HttpServer":
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()


class OpensHttp:
    """What a runtime can about HTTP."""

    _pump: Pump
    _handle: Handle

    def http(
        self,
        address: str = "127.0.0.1",
        port: int = 0,
        *,
        share_port: bool = False,
        tls_cert: Optional[str] = None,
        tls_key: Optional[str] = None,
        max_connections: int = 0,
        max_header_bytes: int = 0,
        max_body_bytes: int = 0,
        idle: Optional[float] = None,
        read_timeout: Optional[float] = None,
        answer_timeout: Optional[float] = None,
    ) -> HttpServer:
        """Opens an HTTP server: /livez, /readyz, /health, /metrics, and routes of the host's own.

        - address: an IP address; port: 0 for any free one, see ``.port``; share_port: other processes may open it too
        - tls_cert, tls_key: paths of PEM files
        - max_connections (4,096), max_header_bytes (16 KiB), max_body_bytes (1 MiB)
        - idle: seconds between two requests of a connection (75); read_timeout: for a header (10) and a body (30) to come;
          answer_timeout: for a handler (30), then the client gets 504
        """
        self._pump.check()
        options = http_options(
            address,
            port,
            share_port=share_port,
            tls_cert=tls_cert,
            tls_key=tls_key,
            max_connections=max_connections,
            max_header_bytes=max_header_bytes,
            max_body_bytes=max_body_bytes,
            idle=idle,
            read_timeout=read_timeout,
            answer_timeout=answer_timeout,
        )
        return HttpServer(self._pump, self._handle, options)
