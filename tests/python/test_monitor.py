"""The health monitor in the asyncio face."""

import asyncio

import corbel
import pytest
from conftest import until_async
from corbel import RedisState

# Changes are coalesced to the latest, so a reader may see the first try and not the loss before it.
LOST = (RedisState.DOWN, RedisState.RECONNECTING)


def test_down_and_up(run, own_server):
    async def main():
        async with corbel.Runtime(log_level="off") as rt, rt.redis(own_server.url) as r:
            async with r.monitor() as monitor, r.subscribe("news"):
                await until_async(lambda: monitor.state is RedisState.UP, "it is up")
                seen = []

                async def read():
                    async for change in monitor:
                        seen.append(change)

                reading = asyncio.ensure_future(read())
                await until_async(lambda: seen and seen[-1].state in (RedisState.UP, RedisState.RESUBSCRIBED), "told up")
                first = seen[-1].epoch
                own_server.stop()
                await until_async(lambda: seen[-1].state in LOST, "told of the loss")
                assert monitor.state in LOST
                own_server.start()
                await until_async(lambda: seen[-1].state is RedisState.RESUBSCRIBED, "told resubscribed")
                assert seen[-1].epoch > first and monitor.state is RedisState.UP
                await monitor.close()
                await reading

    run(main())


def test_listeners(run, own_server):
    async def main():
        loop = asyncio.get_running_loop()
        async with corbel.Runtime(log_level="off") as rt, rt.redis(own_server.url) as r, r.monitor() as monitor:
            await until_async(lambda: monitor.state is RedisState.UP, "it is up")
            assert (await monitor.get(5)).state in (RedisState.UP, RedisState.UNKNOWN, RedisState.RECONNECTING)
            early, late, gone, problems = [], [], [], []
            loop.set_exception_handler(lambda _, context: problems.append(context["exception"]))

            def raises(change):
                raise ValueError("a listener's own")

            def listen(change):
                assert asyncio.get_running_loop() is loop
                early.append(change.state)

            monitor.listen(raises)
            monitor.listen(listen)
            number = monitor.listen(gone.append)
            assert monitor.unlisten(number) and not monitor.unlisten(number)
            own_server.stop()
            await until_async(lambda: early and early[-1] in LOST, "told of the loss")
            monitor.listen(lambda change: late.append(change.state))
            await until_async(lambda: late, "a late listener is told at once")
            assert late[0] in LOST
            assert gone == [] and isinstance(problems[0], ValueError)
            loop.set_exception_handler(None)

    run(main())


def test_a_full_pool_is_not_down(run, server):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url, max_size=2) as r, r.monitor() as monitor:
            await until_async(lambda: monitor.state is RedisState.UP, "it is up")
            async with r.lease():
                with pytest.raises(corbel.Busy):
                    await r.lease(timeout=0.05)
                assert monitor.state is RedisState.UP

    run(main())


def test_closed(run, server):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            monitor = r.monitor()
            await monitor.close()
            with pytest.raises(corbel.Closed):
                monitor.state
            assert [change async for change in monitor] == []

    run(main())
