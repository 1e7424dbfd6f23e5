"""What the runtimes of both faces have in common: opening, the log, the metrics, the health table."""

import ctypes
from ctypes import c_void_p
from typing import List, Mapping, Optional, Sequence, Union

from corbel import _constants as c
from corbel import _structs
from corbel._failure import opened, received
from corbel._handle import Handle
from corbel._library import quick, waiting
from corbel._options import milliseconds, text
from corbel.errors import Invalid
from corbel.health import Health
from corbel.log import level_of, take_text
from corbel.metrics import Counter, Gauge, Histogram


def open_runtime(
    name: Optional[str], instance: Optional[str], io_threads: int, log_level: str, log_stdout: Union[bool, str]
) -> Handle:
    o = _structs.sized(_structs.RuntimeOptions)
    forms = {False: 0, True: 0, "json": c.RUNTIME_LOG_JSON, "text": c.RUNTIME_LOG_TEXT}
    if log_stdout not in forms:
        raise Invalid(f"log_stdout is {log_stdout!r}: give True, False, 'json' or 'text'")
    o.flags = (c.RUNTIME_LOG_STDOUT if log_stdout else 0) | forms[log_stdout]
    o.io_threads = io_threads
    o.log_level = level_of(log_level)
    o.name = text(name, "name")
    o.instance = text(instance, "instance")
    return Handle(opened(waiting.corbel_runtime_open, ctypes.byref(o)), waiting.corbel_runtime_free)


def log_to(runtime: Handle, level: str, queue: int) -> None:
    """Has log lines come as events on a queue, from a level on."""
    if level_of(level) != c.LOG_OFF:
        status = quick.corbel_runtime_log_to(runtime.pointer, level_of(level), queue)
        if status:
            raise received(0, status)


def shut_down(runtime: Handle, timeout: Optional[float]) -> None:
    """Blocks. Raises Timeout with a message that names what was left when not all ended by itself."""
    error = c_void_p()
    status = waiting.corbel_runtime_shutdown(runtime.pointer, milliseconds(timeout), ctypes.byref(error))
    if status:
        raise received(error.value or 0, status)


class RuntimeBase:
    """The part of a runtime that never waits. Any thread."""

    _handle: Handle
    #: The health table of this runtime.
    health: Health

    def metrics(self) -> str:
        """All metrics of the runtime in Prometheus text format 0.0.4."""
        return take_text(opened(quick.corbel_runtime_metrics, self._handle.pointer, c.METRICS_PROMETHEUS))

    def counter(
        self, name: str, help: str = "", *, labels: Optional[Mapping[str, str]] = None, max_series: int = 0
    ) -> Counter:
        """A metric of the host's own, which only grows; its name ends in _total. The same name and labels are the same
        series. labels: names and values, the same names in every series of a name. max_series: how many series a name has
        at most (1,000; the first decides); what comes with further labels is counted together under "other"."""
        return Counter(self._handle, name, help, labels, max_series)

    def gauge(self, name: str, help: str = "", *, labels: Optional[Mapping[str, str]] = None, max_series: int = 0) -> Gauge:
        """As counter, for what goes up and down."""
        return Gauge(self._handle, name, help, labels, max_series)

    def histogram(
        self,
        name: str,
        help: str = "",
        *,
        labels: Optional[Mapping[str, str]] = None,
        max_series: int = 0,
        bounds: Sequence[float] = (),
    ) -> Histogram:
        """As counter, for values in buckets. bounds: of the buckets, ascending, at most 100 (0.0001 to 60, for seconds)."""
        return Histogram(self._handle, name, help, labels, max_series, bounds)

    def log_level(self, level: str, part: Optional[str] = None) -> None:
        """Changes what is logged, live: of every part without a level of its own, or of one part ("redis" also means
        "redis:main")."""
        status = quick.corbel_log_level(self._handle.pointer, text(part, "part"), level_of(level))
        if status:
            raise received(0, status)

    def log(self, level: str, part: str, message: str, **fields: object) -> None:
        """Writes one line through the runtime's log: level "error" to "debug"; fields go along with it."""
        line = message.encode()
        cells: List[_structs.Field] = []
        for name, value in fields.items():
            encoded = value if isinstance(value, bytes) else str(value).encode()
            cells.append(_structs.Field(name.encode(), _structs.Bytes(encoded, len(encoded))))
        array = (_structs.Field * len(cells))(*cells)
        status = quick.corbel_log_write(
            self._handle.pointer,
            level_of(level),
            text(part, "part"),
            line,
            len(line),
            ctypes.addressof(array),
            len(cells),
            ctypes.sizeof(_structs.Field),
        )
        if status:
            raise received(0, status)
