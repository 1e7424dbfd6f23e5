"""What a subscription tells its reader, in both faces."""

from typing import NamedTuple, Optional, Union

from corbel import _constants as c
from corbel._failure import failure
from corbel._reply import Decoder


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
