"""Requests and answers of an HTTP server, in both faces."""

import contextlib
import ctypes
import json
import logging
from ctypes import c_void_p
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional, Tuple, Union

from corbel import _constants as c
from corbel import _structs
from corbel._failure import received
from corbel._handle import Handle
from corbel._http_structs import HttpAnswer
from corbel._library import quick
from corbel._options import text
from corbel.errors import Closed, Error


class Response(NamedTuple):
    """What a handler may return: the status, the body, its type, further header fields."""

    body: Union[str, bytes] = b""
    status: int = 200
    content_type: Optional[str] = None
    headers: Mapping[str, str] = {}


#: What a handler may return: text, bytes, a Response, or anything that JSON can carry.
Result = Union[str, bytes, Response, Dict[str, Any], "list[Any]", None]


def to_response(result: Result) -> Response:
    """What stands for a handler's result: 204 for None, JSON for dicts and lists."""
    if isinstance(result, Response):
        return result
    if result is None:
        return Response(status=204)
    if isinstance(result, bytes):
        return Response(result, content_type="application/octet-stream")
    if isinstance(result, str):
        return Response(result)
    return Response(json.dumps(result), content_type="application/json")


class Request:
    """One request, with its answer still owed. One that is dropped unanswered is answered 500."""

    def __init__(self, pointer: int) -> None:
        self._handle = Handle(pointer, quick.corbel_request_free)
        self.method: str = quick.corbel_request_method(pointer).decode()
        #: percent-decoded
        self.path: str = quick.corbel_request_path(pointer).decode("utf-8", "surrogateescape")
        view = _structs.View()
        quick.corbel_request_body(pointer, ctypes.byref(view))
        self.body: bytes = ctypes.string_at(view.data, view.size) if view.size else b""

    def header(self, name: str) -> Optional[str]:
        """The first header field of that name, in upper or lower case."""
        found = quick.corbel_request_field(self._open(), text(name, "name"))
        return None if found is None else found.decode("utf-8", "surrogateescape")

    def parameter(self, name: str) -> Optional[str]:
        """The first parameter of the query of that name."""
        found = quick.corbel_request_parameter(self._open(), text(name, "name"))
        return None if found is None else found.decode("utf-8", "surrogateescape")

    def json(self) -> Any:
        """The body read as JSON. Raises ValueError."""
        return json.loads(self.body)

    def answer(self, result: Result) -> None:
        """Answers, once: State for a second time, Timeout when the client was answered 504 before."""
        response = to_response(result)
        body = response.body.encode() if isinstance(response.body, str) else response.body
        given = _structs.sized(HttpAnswer)
        given.status = response.status
        given.content_type = text(response.content_type, "content_type")
        given.body = _structs.Bytes(body, len(body))
        cells = [
            _structs.Field(name.encode(), _structs.Bytes(value.encode(), len(value.encode())))
            for name, value in response.headers.items()
        ]
        array = (_structs.Field * len(cells))(*cells)
        given.fields = ctypes.cast(array, c_void_p)
        given.n, given.each = len(cells), ctypes.sizeof(_structs.Field)
        error = c_void_p()
        status = quick.corbel_request_answer(self._open(), ctypes.byref(given), ctypes.byref(error))
        if status:
            raise received(error.value or 0, status)

    def close(self) -> None:
        """Frees it; without an answer the client gets 500."""
        self._handle.free()

    def _open(self) -> int:
        if not self._handle.pointer:
            raise Closed("the request was closed")
        return self._handle.pointer

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path}>"


Handler = Callable[[Request], Any]


class Handlers:
    """The handlers of a server's routes, found as the library finds routes."""

    def __init__(self) -> None:
        self._by_route: Dict[Tuple[str, str], Handler] = {}

    def add(self, method: str, path: str, handler: Handler) -> Handler:
        self._by_route[method, path] = handler
        return handler

    def find(self, request: Request) -> Optional[Handler]:
        """The handler, or None where requests of that route come to readers."""
        paths, parent = [request.path], request.path
        while parent:
            parent = parent.rpartition("/")[0]
            paths.append(parent + "/*")
        methods = [request.method, "GET"] if request.method == "HEAD" else [request.method]
        found = (self._by_route.get((method, path)) for path in paths for method in methods)
        return next((handler for handler in found if handler is not None), None)


def failed(request: Request) -> None:
    """Answers a request whose handler raised, and logs what."""
    logging.getLogger("corbel.http").exception("the handler of %r raised", request)
    with contextlib.suppress(Error):
        request.answer(Response("the request could not be answered; the log of this server says why", 500))


def read_request(kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int) -> Optional[Request]:
    """The notice of a server; None when its end has come."""
    return Request(object) if kind == c.EVENT_REQUEST and object else None
