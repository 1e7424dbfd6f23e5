"""Commands, scripts and their values in the asyncio face."""

import asyncio

import corbel
import pytest


def test_values(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            assert await r.execute("SET", key, b"\0\xff bytes") == b"OK"
            assert await r.execute("GET", key) == b"\0\xff bytes"
            assert await r.execute("GET", key + "none") is None
            assert await r.execute("SET", key, "") == b"OK"
            assert await r.execute("GET", key) == b""
            assert await r.execute("STRLEN", key) == 0
            assert await r.execute("RPUSH", key + "list", 1, 2.5, "three", bytearray(b"four"), memoryview(b"five")) == 5
            assert await r.execute("LRANGE", key + "list", 0, -1) == [b"1", b"2.5", b"three", b"four", b"five"]
            assert await r.execute("LRANGE", key + "none", 0, -1) == []
            nested = "return {1, {'a', {}, {2, {'deep'}}}, false, redis.status_reply('FINE'), redis.error_reply('ODD thing')}"
            one, tree, nil, fine, odd = await r.eval(nested)
            assert (one, tree, nil, fine) == (1, [b"a", [], [2, [b"deep"]]], None, b"FINE")
            assert isinstance(odd, corbel.Refused) and odd.native == "ODD"
            assert await r.execute("INCRBY", key + "n", -(2**62)) == -(2**62)

    run(main())


def test_decode(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url, decode=True) as r:
            await r.execute("RPUSH", key, "grüße", "x")
            assert await r.execute("LRANGE", key, 0, -1) == ["grüße", "x"]
            assert await r.execute("LINDEX", key, 0) == "grüße"
            assert await r.execute("LINDEX", key, 0, decode=False) == "grüße".encode()
            await r.execute("SET", key + "raw", b"\xff")
            with pytest.raises(UnicodeDecodeError):
                await r.execute("GET", key + "raw")
            assert await r.execute("GET", key + "raw", decode=False, timeout=3) == b"\xff"

    run(main())


@pytest.mark.parametrize("size", [65_530, 65_537, 3_000_000])
def test_large_values(run, server, key, size):
    """Around the size of the memory that arguments are laid out in, and far beyond it."""

    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            value = bytes(range(256)) * (size // 256 + 1)
            await r.execute("SET", key, value)
            assert await r.execute("GET", key) == value
            await r.execute("DEL", key)

    run(main())


def test_many_arguments_and_many_elements(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            values = [b"%d" % number for number in range(5000)]
            assert await r.execute("RPUSH", key, *values) == 5000
            assert await r.execute("LRANGE", key, 0, -1) == values
            assert await r.execute("LRANGE", key, 0, 1022) == values[:1023]
            assert await r.execute("LRANGE", key, 0, 1023) == values[:1024]
            assert await r.execute("RPUSH", key + "b", *values[:31]) == 31
            assert await r.execute("RPUSH", key + "b", *values[:30]) == 61

    run(main())


def test_scripts(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            script = "redis.call('SET', KEYS[1], ARGV[1]); return {KEYS[1], ARGV[1], ARGV[2]}"
            for _ in range(2):
                assert await r.eval(script, [key], ["v", 7]) == [key.encode(), b"v", b"7"]
            await r.execute("SCRIPT", "FLUSH")
            assert await r.eval(script, [key], ["w", 8], decode=True) == [key, "w", "8"]
            assert await r.execute("GET", key) == b"w"

    run(main())


def test_arguments_of_the_wrong_kind(run, server):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            for wrong in (None, True, [], {}, object()):
                with pytest.raises(TypeError, match=type(wrong).__name__):
                    await r.execute("SET", "k", wrong)
            with pytest.raises(corbel.Invalid):
                await r.execute()
            with pytest.raises(corbel.Invalid, match="timeout"):
                await r.execute("PING", timeout=-1)
            assert await r.execute("PING") == b"PONG"

    run(main())


def test_many_tasks_get_their_own_answers(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:

            async def caller(number):
                for turn in range(50):
                    text = f"{number}:{turn}"
                    assert await r.execute("ECHO", text) == text.encode()

            await asyncio.gather(*(caller(number) for number in range(200)))
            stats = r.stats()
            assert stats.commands >= 10_000 and stats.max == 32 and stats.unanswered == 0
            assert stats.open >= 1 and stats.lost == 0

    run(main())


def test_statistics_and_metrics(run, server):
    async def main():
        async with corbel.Runtime(name="texts") as rt, rt.redis(server.url, kind="numbers", max_size=5) as r:
            await r.execute("PING")
            assert r.stats().max == 5
            assert "corbel_" in rt.metrics()
            names = await r.execute("CLIENT", "LIST")
            assert b"name=texts:" in names and b":numbers" in names

    run(main())


def test_options_that_are_wrong(run):
    async def main():
        async with corbel.Runtime() as rt:
            with pytest.raises(corbel.Invalid):
                rt.redis("http://localhost")
            with pytest.raises(corbel.Invalid, match="NUL"):
                rt.redis("redis://local\0host")
            with pytest.raises(corbel.Invalid, match="call_timeout"):
                rt.redis(call_timeout=-2)
        with pytest.raises(corbel.Invalid, match="loud"):
            corbel.Runtime(log_level="loud")

    run(main())
