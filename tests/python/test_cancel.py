"""Cancelling: of tasks, by time-outs of asyncio, by the end of the runtime."""

import asyncio
import gc
import time

import corbel
import pytest
from conftest import until_async


def test_cancelling_a_task_cancels_its_call(run, own_server):
    async def main():
        async with corbel.Runtime(log_level="off") as rt, rt.redis(own_server.url) as r:
            await r.execute("PING")
            own_server.signal(19)
            tasks = [asyncio.ensure_future(r.execute("INCR", "k", timeout=20)) for _ in range(100)]
            await until_async(lambda: r.stats().unanswered >= 100, "all are sent")
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(end, asyncio.CancelledError) for end in ended)
            # Nothing stays behind: the library's 100 events come although the server is silent, and are swept.
            await until_async(lambda: not rt._pump.futures, "the late events were swept")
            own_server.signal(18)
            assert await r.execute("PING") == b"PONG"

    run(main())


def test_wait_for(run, own_server):
    async def main():
        async with corbel.Runtime(log_level="off") as rt, rt.redis(own_server.url) as r:
            await r.execute("PING")
            own_server.signal(19)
            with pytest.raises(asyncio.TimeoutError) as caught:
                await asyncio.wait_for(r.execute("GET", "k", timeout=20), 0.05)
            assert not isinstance(caught.value, corbel.Error)
            await until_async(lambda: not rt._pump.futures, "the late event was swept")
            own_server.signal(18)

    run(main())


def test_cancelling_storms_leave_answers_right(run, server):
    """Half of 2,000 calls are cancelled at every possible moment; the others get their own answers."""

    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            for turn in range(10):
                tasks = [asyncio.ensure_future(r.execute("ECHO", number)) for number in range(200)]
                for _ in range(turn):
                    await asyncio.sleep(0)
                for task in tasks[::2]:
                    task.cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
                for number, end in enumerate(ended):
                    assert end == b"%d" % number or (number % 2 == 0 and isinstance(end, asyncio.CancelledError))
            await until_async(lambda: not rt._pump.futures, "the late events were swept")

    run(main())


def test_cancelled_waits_for_a_lease_do_not_keep_it(run, server):
    """Whoever is cancelled while a lease is on its way gives it back: the pool is whole afterwards."""

    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url, max_size=3) as r:

            async def borrow():
                async with r.lease() as k:
                    await k.execute("PING")

            for turn in range(40):
                tasks = [asyncio.ensure_future(borrow()) for _ in range(6)]
                for _ in range(turn % 8):
                    await asyncio.sleep(0)
                if turn % 2:
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            await until_async(lambda: r.stats().leased == 0, "all leases are back")
            async with r.lease() as one, r.lease() as two:
                assert await one.execute("PING") == await two.execute("PING") == b"PONG"

    run(main())


def test_shutting_down_ends_what_waits(run, own_server):
    """Calls under way end as Cancelled, which does not look like a cancelled task."""

    async def main():
        rt = corbel.Runtime(log_level="off")
        r = rt.redis(own_server.url)
        await r.execute("PING")
        own_server.signal(19)
        waiting = asyncio.ensure_future(r.execute("GET", "k", timeout=60))
        await until_async(lambda: r.stats().unanswered, "it is sent")
        with pytest.raises(corbel.Timeout) as caught:
            await rt.shutdown(0.1)
        assert caught.value.message
        with pytest.raises(corbel.Cancelled):
            await waiting
        assert not waiting.cancelled()

    run(main())


def arrived(pump):
    """Has what is under way arrive in this very turn of the loop: futures are set, their tasks have not run yet."""
    end = time.monotonic() + 10
    while pump.futures:
        assert time.monotonic() < end
        pump.drain()


def test_cancelled_in_the_turn_in_which_the_lease_came(run, server):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url, max_size=2) as r:
            for _ in range(3):
                task = asyncio.ensure_future(r.lease()._acquire())
                await asyncio.sleep(0)
                arrived(rt._pump)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                await until_async(lambda: r.stats().leased == 0, "the lease is back", 3)

    run(main())


def test_cancelled_in_the_turn_in_which_the_errors_came(run, server, caplog):
    """Of several futures only one was awaited; nothing is reported of the others."""

    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url, max_size=1) as r:
            sub = r.subscribe()
            with pytest.raises(corbel.Busy):
                await sub.add("a", "b")
            task = asyncio.ensure_future(sub.add("a", "b"))
            await asyncio.sleep(0)
            arrived(rt._pump)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        del task
        gc.collect()

    run(main())
    assert [record for record in caplog.records if record.name == "asyncio"] == []


def test_nothing_is_reported_as_never_retrieved(run, server, caplog):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            for turns in range(8):
                tasks = [asyncio.ensure_future(r.execute("NOSUCH")) for _ in range(50)]
                for _ in range(turns):
                    await asyncio.sleep(0)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            await until_async(lambda: not rt._pump.futures, "the late events were swept")
        gc.collect()

    run(main())
    assert [record for record in caplog.records if record.name == "asyncio"] == []
