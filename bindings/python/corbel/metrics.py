"""Metrics of the host's own, shown beside the library's: by ``runtime.metrics()``, at /metrics, and to a collector. Each
object is one series: a name and the values of its labels; make it once, keep it. Nothing here waits, so both faces share it;
any thread."""

import ctypes
from ctypes import c_char_p, c_double, c_int32, c_size_t, c_uint32, c_void_p
from typing import Mapping, Optional, Sequence

from corbel import _constants as c
from corbel import _structs
from corbel._failure import opened, received
from corbel._handle import Handle
from corbel._library import quick
from corbel._options import text
from corbel.errors import Invalid


class MetricOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("name", c_char_p),
        ("help", c_char_p),
        ("kind", c_int32),
        ("max_series", c_uint32),
        ("labels", c_void_p),
        ("n", c_size_t),
        ("each", c_size_t),
        ("bounds", c_void_p),
        ("n_bounds", c_size_t),
    ]


class _Series:
    _kind: int

    def __init__(
        self,
        runtime: Handle,
        name: str,
        help: str,
        labels: Optional[Mapping[str, str]],
        max_series: int,
        bounds: Sequence[float] = (),
    ) -> None:
        o = _structs.sized(MetricOptions)
        o.name, o.help, o.kind, o.max_series = text(name, "name"), text(help, "help"), self._kind, max_series
        cells = []
        for label, value in (labels or {}).items():
            encoded = str(value).encode(errors="replace")
            cells.append(_structs.Field(text(label, "label"), _structs.Bytes(encoded, len(encoded))))
        fields, numbers = (_structs.Field * len(cells))(*cells), (c_double * len(bounds))(*bounds)
        o.labels, o.n, o.each = ctypes.addressof(fields), len(cells), ctypes.sizeof(_structs.Field)
        o.bounds, o.n_bounds = ctypes.addressof(numbers), len(bounds)
        pointer = opened(quick.corbel_metric_open, runtime.pointer, ctypes.byref(o))
        self._handle = Handle(pointer, quick.corbel_metric_free)

    @staticmethod
    def _check(status: int, wanted: str) -> None:
        if status == c.INVALID:
            raise Invalid(wanted)
        if status:
            raise received(0, status)


class Counter(_Series):
    """``runtime.counter(...)``. Only grows."""

    _kind = c.METRIC_COUNTER

    def add(self, n: float = 1) -> None:
        """n below 0, or no number, raises Invalid."""
        self._check(quick.corbel_metric_add(self._handle.pointer, n), f"a counter only grows: {n!r} cannot be added")


class Gauge(_Series):
    """``runtime.gauge(...)``. Goes up and down."""

    _kind = c.METRIC_GAUGE

    def set(self, value: float) -> None:
        """Sets it."""
        self._check(quick.corbel_metric_set(self._handle.pointer, value), "it is no gauge")

    def add(self, n: float) -> None:
        """Adds, or takes away with n below 0."""
        self._check(quick.corbel_metric_add(self._handle.pointer, n), f"{n!r} cannot be added to a gauge")


class Histogram(_Series):
    """``runtime.histogram(...)``. Counts values in buckets, each up to and with its bound, and one above them."""

    _kind = c.METRIC_HISTOGRAM

    def record(self, value: float) -> None:
        """A duration in seconds. What is no number raises Invalid."""
        self._check(quick.corbel_metric_record(self._handle.pointer, value), f"{value!r} cannot be recorded")
