"""The pools of one process, sized by the gateway document, in the asyncio face."""

import json
from types import TracebackType
from typing import Any, Dict, Optional, Type

from corbel import _constants as c
from corbel._failure import failure, opened
from corbel._handle import Handle
from corbel._library import quick
from corbel._mailbox import Mailbox
from corbel._options import text
from corbel._pools import apply_config, check_instances, follow_document, statistics
from corbel.config import Config
from corbel.errors import Closed
from corbel.events import Pump
from corbel.log import take_text
from corbel.postgres import Postgres
from corbel.redis import Redis


class Pools:
    """Three Redis pools for ingress and metrics ("async", "async_decode", "sync"), one that all share for others; and one of
    PostgreSQL. Made by ``runtime.pools(config)``.

        async with rt.pools(corbel.Config.from_env()) as pools:
            r = pools.redis()
            async for config in pools.follow(): print(config.settings["pools"])
    """

    def __init__(self, pump: Pump, config: Config) -> None:
        self._pump = pump
        opener = quick.corbel_pools_open
        self._handle = Handle(opened(opener, pump.runtime.pointer, config.pointer), quick.corbel_pools_free)
        self._following: Optional[Following] = None

    def redis(self, kind: Optional[str] = None, *, decode: Optional[bool] = None) -> Redis:
        """A reference on a pool; closing it leaves the pool to the others. decode: replies as str; by default only for
        "async_decode", where the library has checked them to be UTF-8."""
        self._check()
        pointer = opened(quick.corbel_pools_redis, self._handle.pointer, text(kind, "kind"))
        return Redis(self._pump, pointer, kind == "async_decode" if decode is None else decode, shared=True)

    def postgres(self) -> Postgres:
        """A reference on the pool of PostgreSQL, which the first call opens; closing it leaves the pool to the others. Where
        the server is says the environment, as with ``runtime.postgres()``."""
        self._check()
        return Postgres(self._pump, opened(quick.corbel_pools_postgres, self._handle.pointer), shared=True)

    def apply(self, config: Config) -> None:
        """Resizes what is open, live: growth at once, shrinking as connections come back; no caller fails."""
        self._check()
        apply_config(self._handle.pointer, config)

    def follow(self) -> "Following":
        """Follows the document from now on: the copy kept in Redis and every update; the pools are resized by themselves.
        What is returned gives each new Config. Once; raises State the second time."""
        self._check()
        self._following = Following(self._pump, self._handle)
        return self._following

    async def budget(self, instances: int = 1, *, timeout: Optional[float] = None) -> Dict[str, Any]:
        """Connections planned for that many instances against what the servers allow (5 s): {"components", "postgres",
        "redis", "over", "table"}; print(budget["table"]) is for people."""
        self._check()
        pump = self._pump
        call = pump.call(timeout)
        status = quick.corbel_pools_budget(self._handle.pointer, check_instances(instances), call, pump.ticket_to)
        budget: Dict[str, Any] = json.loads(take_text(await pump.result(pump.expect(status))))
        return budget

    def stats(self) -> Dict[str, Any]:
        """The pools' statistics as in the platform's heartbeats, with wait times and refusals."""
        self._check()
        return statistics(self._handle.pointer)

    async def close(self) -> None:
        """Ends following and gives the pools back; they close with the last reference."""
        self._handle.free()
        if self._following is not None:
            self._following.end()

    def _check(self) -> None:
        self._pump.check()
        if not self._handle.pointer:
            raise Closed("the pools were closed")

    async def __aenter__(self) -> "Pools":
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()


class Following:
    """The changes of a followed document, coalesced to the latest: ``async for config in pools.follow()``."""

    def __init__(self, pump: Pump, pools: Handle) -> None:
        self._pools = pools
        self._mailbox: Mailbox[Config] = Mailbox(pump.loop, "document", 1)
        follow_document(pools.pointer, pump.queue, pump.register(self))

    async def get(self, timeout: Optional[float] = None) -> Config:
        """The next settings. Raises Timeout after so many seconds, Closed when the pools were closed."""
        return await self._mailbox.get(timeout)

    def end(self) -> None:
        """For the pump and the pools: nothing more comes."""
        self._mailbox.close()

    def receive(self, kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int) -> None:
        """For the pump."""
        failure(status, error)
        if kind == c.EVENT_CONFIG:
            self._mailbox.put(Config(object))

    def __aiter__(self) -> "Following":
        return self

    async def __anext__(self) -> Config:
        try:
            return await self.get()
        except Closed:
            raise StopAsyncIteration from None
