"""The pump asks of a loop only what every loop has."""

import asyncio
import threading

import corbel
import pytest


class PlainLoop(asyncio.SelectorEventLoop):
    """Refuses what the package must not need."""

    def call_soon_threadsafe(self, *arguments, **options):
        raise AssertionError("call_soon_threadsafe")

    def run_in_executor(self, *arguments):
        raise AssertionError("run_in_executor")

    def create_connection(self, *arguments, **options):
        raise AssertionError("create_connection")


def test_a_loop_that_has_no_more_than_needed(server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r, r.subscribe(key) as sub, r.lease() as k:
            assert await asyncio.gather(*(r.execute("ECHO", number) for number in range(100))) == [
                b"%d" % number for number in range(100)
            ]
            assert await k.execute("PUBLISH", key, "x") == 1
            assert (await sub.get(5)).payload == b"x"

    loop = PlainLoop()
    try:
        loop.run_until_complete(asyncio.wait_for(main(), 20))
    finally:
        loop.close()


def test_a_loop_per_thread(server):
    problems = []

    def thread(number):
        async def main():
            async with corbel.Runtime() as rt, rt.redis(server.url) as r:
                for turn in range(50):
                    assert await r.execute("ECHO", f"{number}:{turn}", decode=True) == f"{number}:{turn}"

        try:
            asyncio.run(main())
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=thread, args=[number]) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert problems == [] and not any(each.is_alive() for each in threads)


def test_another_loop_is_refused(run, server):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            problems = []

            async def elsewhere():
                for call in (r.execute("PING"), r.eval("return 1"), r.lease()._acquire(), r.close()):
                    with pytest.raises(corbel.State, match="loop"):
                        await call

            def thread():
                try:
                    asyncio.run(elsewhere())
                except BaseException as problem:
                    problems.append(problem)

            each = threading.Thread(target=thread)
            each.start()
            each.join(20)
            assert problems == []
            assert await r.execute("PING") == b"PONG"

    run(main())


def test_no_loop():
    with pytest.raises(RuntimeError, match="no running event loop"):
        corbel.Runtime()
