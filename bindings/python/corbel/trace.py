"""W3C trace context: which request of somebody else's trace a piece of work belongs to."""

import ctypes
from typing import Optional

from corbel import _constants as c
from corbel._library import quick
from corbel._options import text


def follow_trace(traceparent: Optional[str] = None) -> str:
    """The traceparent of a new span in the trace of the one given; in a new trace where that is None or malformed. Its
    characters 3 to 34 are the trace's id, 36 to 51 the span's."""
    out = ctypes.create_string_buffer(c.TRACEPARENT_SIZE)
    quick.corbel_trace_follow(text(traceparent, "traceparent"), out, c.TRACEPARENT_SIZE)
    return out.value.decode()
