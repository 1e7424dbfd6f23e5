"""What subscriptions and listeners tell their readers, in both faces."""

import ctypes
from typing import Callable, NamedTuple, Optional, Union

from corbel import _constants as c
from corbel._failure import failure
from corbel._library import quick
from corbel._reply import Decoder
from corbel._structs import View


class Notice(NamedTuple):
    """One notice of a subscription.

    - kind: "message"; "gap": the connection was lost, what is published from now on is missed; "resubscribed": the
      server confirmed every wanted name again
    - epoch: the reconnect epoch; a change between two messages is a gap
    - dropped: messages lost just before this notice, because the reader was slow
    """

    kind: str
    channel: Union[bytes, str] = b""
    payload: Union[bytes, str] = b""
    pattern: Optional[Union[bytes, str]] = None
    epoch: int = 0
    dropped: int = 0


_STATES = {c.SUB_GAP: "gap", c.SUB_RESUBSCRIBED: "resubscribed"}


def read_notice(
    decoder: Decoder, decode: bool, kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int
) -> Optional[Notice]:
    """The notice of an event, whose object and error are freed; None at the subscription's end."""
    dropped = value if flags & c.EVENT_DROPPED and kind == c.EVENT_PUBLISHED else 0
    failure(status, error)
    if kind == c.EVENT_PUBLISHED:
        row = decoder.take(object, decode)
        if len(row) == 4:
            return Notice("message", row[2], row[3], row[1], epoch, dropped)
        return Notice("message", row[1], row[2], None, epoch, dropped)
    if kind == c.EVENT_STATE:
        return Notice(_STATES.get(value, "gap"), epoch=epoch)
    return None


class PgNotice(NamedTuple):
    """One notice of a listener.

    - kind: "message"; "gap": the connection was lost, what is notified from now on is missed; "listening": every wanted
      channel is listened to again
    - backend: the server process that notified
    - epoch: counts connections; a change between two messages is a gap
    - dropped: messages lost just before this notice, because the reader was slow
    """

    kind: str
    channel: str = ""
    payload: str = ""
    backend: int = 0
    epoch: int = 0
    dropped: int = 0


def read_pg_notice(
    kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int
) -> Optional[PgNotice]:
    """The notice of an event, whose object and error are freed; None at the listener's end."""
    failure(status, error)
    if kind == c.EVENT_PG_NOTICE:
        dropped = value if flags & c.EVENT_DROPPED else 0
        try:
            backend = quick.corbel_pg_notice_backend(object)
            return PgNotice("message", _read(quick.corbel_pg_notice_channel, object),
                            _read(quick.corbel_pg_notice_payload, object), backend, epoch, dropped)  # fmt: skip
        finally:
            quick.corbel_pg_notice_free(object)
    if kind == c.EVENT_STATE:
        return PgNotice("gap" if value == c.PG_GAP else "listening", epoch=epoch)
    return None


def _read(function: Callable[..., int], notice: int) -> str:
    view = View()
    function(notice, ctypes.byref(view))
    return ctypes.string_at(view.data, view.size).decode() if view.size else ""
