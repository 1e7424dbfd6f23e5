"""What the options of PostgreSQL pools and transactions become in C."""

from typing import Optional

from corbel import _constants as c
from corbel import _pg_structs, _structs
from corbel._handle import Handle
from corbel._options import milliseconds, text
from corbel.errors import Invalid

#: Stands for a connection that was not acquired yet.
NO_HANDLE = Handle(0, lambda _: None)


class Depth:
    """How many transactions are open on a connection, one within the other."""

    value = 0


_ISOLATIONS = {
    None: c.PG_ISOLATION_DEFAULT,
    "read committed": c.PG_READ_COMMITTED,
    "repeatable read": c.PG_REPEATABLE_READ,
    "serializable": c.PG_SERIALIZABLE,
}


def begin_options(isolation: Optional[str], read_only: bool, deferrable: bool) -> _pg_structs.PgBegin:
    if isolation not in _ISOLATIONS:
        names = ", ".join(repr(name) for name in _ISOLATIONS if name)
        raise Invalid(f"isolation is {isolation!r}; give {names} or None", source="postgres")
    o = _structs.sized(_pg_structs.PgBegin)
    o.isolation = _ISOLATIONS[isolation]
    o.flags = (c.PG_BEGIN_READ_ONLY if read_only else 0) | (c.PG_BEGIN_DEFERRABLE if deferrable else 0)
    return o


def pg_options(
    conninfo: Optional[str],
    *,
    kind: Optional[str],
    min_size: int,
    max_size: int,
    max_waiting: int,
    max_prepared: Optional[int],
    connect_timeout: Optional[float],
    call_timeout: Optional[float],
    acquire_timeout: Optional[float],
    idle_check: Optional[float],
    lifetime: Optional[float],
    max_idle: Optional[float],
    share: Optional[float],
    cancel_timeout: Optional[float],
    max_connecting: int,
    discard_all: bool,
) -> _pg_structs.PgOptions:
    o = _structs.sized(_pg_structs.PgOptions)
    o.flags = (c.PG_POOL_UNPREPARED if max_prepared == 0 else 0) | (c.PG_POOL_DISCARD_ALL if discard_all else 0)
    o.conninfo = text(conninfo, "conninfo")
    o.kind = text(kind, "kind")
    o.min_size = min_size
    o.max_size = max_size
    o.max_waiting = max_waiting
    o.max_prepared = max_prepared or 0
    o.connect_ms = milliseconds(connect_timeout, "connect_timeout")
    o.call_ms = milliseconds(call_timeout, "call_timeout")
    o.acquire_ms = milliseconds(acquire_timeout, "acquire_timeout")
    o.idle_check_ms = milliseconds(idle_check, "idle_check")
    o.lifetime_ms = milliseconds(lifetime, "lifetime")
    o.max_idle_ms = milliseconds(max_idle, "max_idle")
    o.share_ms = milliseconds(share, "share")
    o.cancel_ms = milliseconds(cancel_timeout, "cancel_timeout")
    o.max_connecting = max_connecting
    return o
