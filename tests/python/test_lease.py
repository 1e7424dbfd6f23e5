"""Leases: exclusive connections."""

import asyncio

import corbel
import pytest
from conftest import until_async


def test_transactions(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            async with r.lease() as k:
                assert await k.execute("WATCH", key) == b"OK"
                assert await k.execute("MULTI") == b"OK"
                assert await k.execute("SET", key, "mine") == b"QUEUED"
                assert await k.execute("LPUSH", key, "x") == b"QUEUED"
                done, refused = await k.execute("EXEC")
                assert done == b"OK" and isinstance(refused, corbel.Refused) and refused.native == "WRONGTYPE"
                await k.execute("WATCH", key)
                await r.execute("SET", key, "another's")
                await k.execute("MULTI")
                await k.execute("SET", key, "lost")
                assert await k.execute("EXEC") is None
            assert await r.execute("GET", key) == b"another's"

    run(main())


def test_awaited_and_released_by_hand(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url, decode=True) as r:
            k = await r.lease(timeout=2)
            assert await k.execute("ECHO", key) == key
            assert r.stats().leased == 1
            k.release()
            k.release()
            with pytest.raises(corbel.Closed):
                await k.execute("PING")
            await until_async(lambda: r.stats().leased == 0, "the lease is back")

    run(main())


def test_blocking_commands(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r, r.lease() as k:
            popped = asyncio.ensure_future(k.execute("BLPOP", key, 0, timeout=20))
            await r.execute("RPUSH", key, "here")
            assert await popped == [key.encode(), b"here"]

    run(main())


def test_an_exhausted_pool_says_its_counts(run, server):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url, max_size=2) as r:
            async with r.lease():
                with pytest.raises(corbel.Busy) as caught:
                    await r.lease(timeout=0.05)
                assert "2" in caught.value.message and caught.value.retriable
                assert await r.execute("PING") == b"PONG"
            async with r.lease(timeout=5) as k:
                assert await k.execute("PING") == b"PONG"
            assert r.stats().refused >= 1

    run(main())


def test_waiting_in_turn(run, server):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url, max_size=2) as r:
            order = []

            async def borrow(number):
                async with r.lease():
                    order.append(number)

            async with r.lease():
                tasks = []
                for number in range(5):
                    tasks.append(asyncio.ensure_future(borrow(number)))
                    await until_async(lambda: r.stats().waiting == number + 1, "it waits")
            await asyncio.gather(*tasks)
            assert order == [0, 1, 2, 3, 4]

    run(main())
