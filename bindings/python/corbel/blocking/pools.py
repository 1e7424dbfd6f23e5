"""The pools of one process, sized by the gateway document, in the blocking face."""

import json
from types import TracebackType
from typing import Any, Dict, Optional, Type

from corbel import _constants as c
from corbel._failure import failure, opened
from corbel._handle import Handle
from corbel._library import quick
from corbel._options import text
from corbel._pools import apply_config, check_instances, follow_document, statistics
from corbel.blocking._inbox import Inbox
from corbel.blocking._port import Core
from corbel.blocking.postgres import Postgres
from corbel.blocking.redis import Redis
from corbel.config import Config
from corbel.errors import Closed
from corbel.log import take_text


def _read(kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int) -> Optional[Config]:
    failure(status, error)
    return Config(object) if kind == c.EVENT_CONFIG else None


class Pools:
    """Three Redis pools for ingress and metrics ("async", "async_decode", "sync"), one that all share for others; and one of
    PostgreSQL; any thread. Made by ``runtime.pools(config)``.

        with rt.pools(corbel.Config.from_env()) as pools:
            r = pools.redis()
            for config in pools.follow(): print(config.settings["pools"])
    """

    def __init__(self, core: Core, config: Config) -> None:
        self._core = core
        opener = quick.corbel_pools_open
        # Freed with the last reference, as the Redis pools are: no other thread can then be on its way into it.
        self._handle = Handle(opened(opener, core.runtime.pointer, config.pointer), quick.corbel_pools_free)
        self._following: Optional[Following] = None
        self._closed = False

    def redis(self, kind: Optional[str] = None, *, decode: Optional[bool] = None) -> Redis:
        """A reference on a pool; closing it leaves the pool to the others. decode: replies as str; by default only for
        "async_decode", where the library has checked them to be UTF-8."""
        self._check()
        pointer = opened(quick.corbel_pools_redis, self._handle.pointer, text(kind, "kind"))
        return Redis(self._core, pointer, kind == "async_decode" if decode is None else decode, shared=True)

    def postgres(self) -> Postgres:
        """A reference on the pool of PostgreSQL, which the first call opens; closing it leaves the pool to the others. Where
        the server is says the environment, as with ``runtime.postgres()``."""
        self._check()
        return Postgres(self._core, opened(quick.corbel_pools_postgres, self._handle.pointer), shared=True)

    def apply(self, config: Config) -> None:
        """Resizes what is open, live: growth at once, shrinking as connections come back; no caller fails."""
        self._check()
        apply_config(self._handle.pointer, config)

    def follow(self) -> "Following":
        """Follows the document from now on: the copy kept in Redis and every update; the pools are resized by themselves.
        What is returned gives each new Config. Once; raises State the second time."""
        self._check()
        self._following = Following(self._core, self._handle)
        return self._following

    def budget(self, instances: int = 1, *, timeout: Optional[float] = None) -> Dict[str, Any]:
        """Connections planned for that many instances against what the servers allow (5 s): {"components", "postgres",
        "redis", "over", "table"}; print(budget["table"]) is for people."""
        self._check()
        with self._core.port() as port:
            call = port.call(timeout)
            status = quick.corbel_pools_budget(self._handle.pointer, check_instances(instances), call, port.ticket_to)
            budget: Dict[str, Any] = json.loads(take_text(port.wait(port.start(status))))
        return budget

    def stats(self) -> Dict[str, Any]:
        """The pools' statistics as in the platform's heartbeats, with wait times and refusals."""
        self._check()
        return statistics(self._handle.pointer)

    def close(self) -> None:
        """Ends following and gives the pools back; they close with the last reference."""
        self._closed = True
        if self._following is not None:
            self._following.end()

    def _check(self) -> None:
        self._core.check()
        if self._closed:
            raise Closed("the pools were closed")

    def __enter__(self) -> "Pools":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


class Following:
    """The changes of a followed document, coalesced to the latest: ``for config in pools.follow()``."""

    def __init__(self, core: Core, pools: Handle) -> None:
        self._pools = pools
        self._inbox: Inbox[Config] = Inbox(core, "document", _read)
        follow_document(pools.pointer, self._inbox.queue, 0)

    def get(self, timeout: Optional[float] = None) -> Config:
        """The next settings. Raises Timeout after so many seconds, Closed when the pools were closed."""
        return self._inbox.get(timeout)

    def end(self) -> None:
        """For the pools: nothing more comes."""
        self._inbox.close()

    def __iter__(self) -> "Following":
        return self

    def __next__(self) -> Config:
        try:
            return self.get()
        except Closed:
            raise StopIteration from None
