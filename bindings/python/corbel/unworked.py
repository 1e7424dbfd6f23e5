"""Messages that are not worked, in both faces."""

import ctypes
import logging
from typing import Callable, NamedTuple, Optional

from corbel import _constants as c
from corbel import _queue_structs
from corbel._library import quick

_log = logging.getLogger("corbel.queue")
_WHY = {c.UNWORKED_INTERRUPTED: "interrupted", c.UNWORKED_IGNORED: "ignored"}


class Unworked(NamedTuple):
    """A message that is not worked.

    - why: "interrupted": its worker died, as this process found, and with ``crashed="interrupt"`` it is not worked twice but
      dead; "ignored": platform: a wake-up whose event was worked before or cannot be, which is acknowledged, and whose
      conversation may still be marked as in progress; told again after a crash
    - body: as it would have been delivered
    - reason: ignored: such as "event_already_consumed"
    """

    id: str
    body: bytes
    why: str
    reason: str


def take_unworked(value: int, address: int) -> Unworked:
    """Reads and frees a corbel_unworked."""
    view = _queue_structs.UnworkedView()
    quick.corbel_unworked_view_get(address, ctypes.byref(view), ctypes.sizeof(view))
    try:
        parts = [ctypes.string_at(part.data, part.size) for part in (view.id, view.body, view.reason)]
    finally:
        quick.corbel_unworked_free(address)
    return Unworked(parts[0].decode(errors="replace"), parts[1], _WHY[value], parts[2].decode(errors="replace"))


def tell(listener: Optional[Callable[[Unworked], object]], value: int, address: int) -> None:
    """Calls the listener; what it raises is logged."""
    message = take_unworked(value, address)
    try:
        if listener is not None:
            listener(message)
    except Exception as error:
        _log.error("message %s: who hears of messages that are not worked failed", message.id, exc_info=error)
