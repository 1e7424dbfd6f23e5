"""Commands in the blocking face, on a pool or on a lease."""

from typing import Callable, Optional, Sequence

from corbel._caller import Argument
from corbel._handle import Handle
from corbel._reply import Reply
from corbel.blocking._port import Core, Port


class Commands:
    """Sends commands through one C function on one C object."""

    def __init__(self, core: Core, handle: Handle, send: Callable[..., int], decode: bool) -> None:
        self._core = core
        self._handle = handle
        self._send = send
        self._decode = decode

    def execute(
        self,
        *arguments: Argument,
        timeout: Optional[float] = None,
        idempotent: bool = False,
        decode: Optional[bool] = None,
    ) -> Reply:
        """Sends one command and waits for its reply: bytes, int, None or a list of them.

        - arguments: bytes as they are, str as UTF-8, int and float as text
        - timeout: seconds; None: the pool's call_timeout; math.inf: no limit
        - idempotent: it may be sent again, once, after a loss or a time-out
        - decode: strings of the reply as str; None: as the pool was opened
        """
        text = self._decode if decode is None else decode
        with self._core.port() as port:
            return port.wait(self._start(port, arguments, timeout, idempotent, text))

    def _start(
        self, port: Port, arguments: Sequence[Argument], timeout: Optional[float], idempotent: bool, text: bool
    ) -> int:
        return port.command(self._send, self._handle.pointer, arguments, timeout, idempotent, text)
