"""Commands of many tasks, which leave together when more than a few are under way."""

import asyncio
import threading

import corbel
import pytest
from conftest import until_async
from corbel import _batch


@pytest.fixture
def calls(monkeypatch):
    """How many commands each call into the library took."""
    sizes = []
    send_many = _batch._send_many

    def counted(handle, parts, lengths, counts, count, call, ticket):
        sizes.append(count)
        return send_many(handle, parts, lengths, counts, count, call, ticket)

    monkeypatch.setattr(_batch, "_send_many", counted)
    return sizes


async def busy(r, tasks=6):
    """Has the pool's loop gather: more than a few calls are under way for a while."""
    slow = "local t = {} for i = 1, 3e5 do t[1] = i end"
    waiting = [asyncio.ensure_future(r.execute("EVAL", slow, 0)) for _ in range(tasks)]
    await asyncio.sleep(0)
    return waiting


def test_many_tasks_share_calls(run, server, calls):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:

            async def caller(number):
                for turn in range(50):
                    assert await r.execute("ECHO", f"{number} {turn}") == b"%d %d" % (number, turn)

            await asyncio.gather(*(caller(number) for number in range(100)))
            assert sum(calls) > 4000 and max(calls) == _batch.FULL
            assert sum(calls) / len(calls) > 4

    run(main())


def test_one_task_is_not_gathered(run, server, calls):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            for number in range(50):
                assert await r.execute("ECHO", number) == b"%d" % number
            assert not calls

    run(main())


def test_each_gets_its_own_answer_or_error(run, server, key, calls):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            await r.execute("RPUSH", key, b"\xff", "b")
            long = "x" * 70_000
            waiting = await busy(r)
            got = await asyncio.gather(
                r.execute("ECHO", b"\x00\xff"),
                r.execute("LRANGE", key, 0, -1),
                r.execute("GET", key + " none"),
                r.execute("LLEN", key),
                r.execute("ECHO", ""),
                r.execute("ECHO", long),
                r.execute("ECHO", "\u00e4", decode=True),
                r.execute("PING", decode=True, idempotent=True),
                r.execute("ECHO", memoryview(b"view"), timeout=5),
                r.execute("LINDEX", key, 0, decode=True),
                r.execute("INCR", key),
                r.execute("BLPOP", key, 1),
                r.execute("ECHO", object()),
                r.execute(),
                r.execute("ECHO", 1.5),
                return_exceptions=True,
            )
            assert got[:9] == [b"\x00\xff", [b"\xff", b"b"], None, 2, b"", long.encode(), "\u00e4", "PONG", b"view"]
            assert isinstance(got[9], UnicodeDecodeError)
            assert isinstance(got[10], corbel.Refused) and got[10].native == "WRONGTYPE"
            assert isinstance(got[11], corbel.Invalid) and "BLPOP" in str(got[11])
            assert isinstance(got[12], TypeError)
            assert isinstance(got[13], corbel.Invalid)
            assert got[14] == b"1.5"
            await asyncio.gather(*waiting)
            assert calls and not rt._pump.futures

    run(main())


def test_cancelled_before_they_left(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            waiting = await busy(r)
            tasks = [asyncio.ensure_future(r.execute("ECHO", number)) for number in range(20)]
            asyncio.get_running_loop().call_soon(lambda: [task.cancel() for task in tasks[::2]])
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(end, asyncio.CancelledError) for end in ended[::2])
            assert ended[1::2] == [b"%d" % number for number in range(1, 20, 2)]
            await asyncio.gather(*waiting)
            await until_async(lambda: not rt._pump.futures, "the late events were swept")

    run(main())


def test_what_is_gathered_leaves_before_the_pool_is_closed(run, server):
    async def main():
        async with corbel.Runtime() as rt:
            r = rt.redis(server.url)
            waiting = await busy(r)
            tasks = [asyncio.ensure_future(r.execute("ECHO", number)) for number in range(10)]
            closing = asyncio.ensure_future(r.close())
            assert await asyncio.gather(*tasks) == [b"%d" % number for number in range(10)]
            await asyncio.gather(closing, *waiting)
            with pytest.raises(corbel.Closed):
                await r.execute("PING")

    run(main())


def test_what_is_gathered_ends_with_the_runtime(run, own_server):
    async def main():
        rt = corbel.Runtime(log_level="off")
        r = rt.redis(own_server.url)
        await r.execute("PING")
        own_server.signal(19)
        waiting = await busy(r)
        tasks = [asyncio.ensure_future(r.execute("ECHO", number, timeout=None)) for number in range(10)]
        ending = asyncio.ensure_future(rt.shutdown(0.1))
        ended = await asyncio.gather(*tasks, *waiting, return_exceptions=True)
        assert all(isinstance(end, corbel.Error) for end in ended)
        with pytest.raises(corbel.Timeout):
            await ending
        own_server.signal(18)

    run(main())


def test_another_thread_is_refused_while_commands_are_gathered(run, server):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            waiting = await busy(r)
            task = asyncio.ensure_future(r.execute("PING"))
            await asyncio.sleep(0)
            problems = []

            def elsewhere():
                try:
                    asyncio.run(r.execute("PING"))
                except corbel.State as problem:
                    problems.append(problem)

            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()
            assert len(problems) == 1
            assert await task == b"PONG"
            await asyncio.gather(*waiting)

    run(main())
