"""When a transaction is run again, in both faces."""

import random

from corbel.errors import Error, Refused

_RERUN = ("40001", "40P01")  # serialization failure, deadlock: the server has rolled it back
_FIRST_DELAY = 0.005
_MOST_DELAY = 1.0


def may_rerun(error: Error) -> bool:
    """True when the transaction was rolled back, and the same one may succeed when it is run again."""
    return isinstance(error, Refused) and error.source == "postgres" and error.native in _RERUN


def delay_after(tries: int) -> float:
    """Seconds to wait: random, up to a cap that doubles with each try."""
    return random.uniform(0, min(_MOST_DELAY, _FIRST_DELAY * 2.0 ** (tries - 1)))
