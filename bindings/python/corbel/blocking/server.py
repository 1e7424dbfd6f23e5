"""The HTTP server in the blocking face."""

import ctypes
import time
from types import TracebackType
from typing import Callable, Optional, Type

from corbel._failure import opened, received
from corbel._handle import Handle
from corbel._http_structs import HttpOptions, http_options
from corbel._library import quick
from corbel._options import text
from corbel.blocking._inbox import Inbox
from corbel.blocking._locked_handle import LockedHandle
from corbel.blocking._port import Core
from corbel.errors import Closed
from corbel.http import Handler, Handlers, Request, failed, read_request


class HttpServer:
    """/livez, /readyz, /health and /metrics, and the host's own routes. Made by ``rt.http()``.

        with rt.http(port=8080) as server:
            @server.route("GET", "/hello")
            def hello(request: corbel.Request):
                return {"hello": request.parameter("name")}

            server.run()                            # by any number of threads

    A handler returns text, bytes, a Response, or what JSON can carry; what it raises is answered 500 and logged. It runs
    on a thread that is inside run() or get(). Requests of routes without a handler come to readers: ``for request in server:
    request.answer(...)``.
    """

    def __init__(self, core: Core, runtime: Handle, options: HttpOptions) -> None:
        self._core = core
        self._handlers = Handlers()
        self._inbox: Inbox[Request] = Inbox(core, "server", read_request)
        options.to = self._inbox.queue
        pointer = opened(quick.corbel_http_open, runtime.pointer, ctypes.byref(options))
        self._handle = LockedHandle(pointer, quick.corbel_http_free)
        #: The port that was opened.
        self.port: int = quick.corbel_http_port(pointer)

    def route(self, method: str, path: str) -> Callable[[Handler], Handler]:
        """Adds a route; a path that ends in "/*" holds for all below it. The result makes a function its handler."""
        self._core.check()
        error = ctypes.c_void_p()
        method_text, path_text = text(method, "method"), text(path, "path")
        status = quick.corbel_http_route(self._open(), method_text, path_text, ctypes.byref(error))
        if status:
            raise received(error.value or 0, status)
        return lambda handler: self._handlers.add(method, path, handler)

    def get(self, timeout: Optional[float] = None) -> Request:
        """The next request of a route without a handler; meanwhile it serves the others. Raises Timeout after so many
        seconds, Closed when the server was closed."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            request = self._inbox.get(None if end is None else max(0.0, end - time.monotonic()))
            handler = self._handlers.find(request)
            if handler is None:
                return request
            try:
                request.answer(handler(request))
            except Exception:
                failed(request)
            finally:
                request.close()

    def run(self) -> None:
        """Serves the routes that have handlers until the server is closed."""
        while True:
            try:
                self.get().close()
            except Closed:
                return

    def stop(self, timeout: Optional[float] = None) -> int:
        """Accepts no more and completes the requests under way; what is left after so many seconds (10) is cut. Returns how
        many were."""
        with self._core.port() as port:
            return int(port.wait(self._handle.start(port, quick.corbel_http_stop, timeout=timeout)))

    def close(self) -> None:
        """Closes every connection at once. Readers get what is there, then their loops end."""
        self._handle.free()
        self._inbox.close()

    def end(self) -> None:
        """For the runtime: nothing more comes."""
        self._inbox.close()

    def _open(self) -> int:
        if not self._handle.pointer:
            raise Closed("the server was closed")
        return self._handle.pointer

    def __iter__(self) -> "HttpServer":
        return self

    def __next__(self) -> Request:
        try:
            return self.get()
        except Closed:
            raise StopIteration from None

    def __enter__(self) -> "HttpServer":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


class OpensHttp:
    """What a runtime can about HTTP."""

    _core: Core
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
          answer_timeout: for an answer (30), then the client gets 504
        """
        self._core.check()
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
        return HttpServer(self._core, self._handle, options)
