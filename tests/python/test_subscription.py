"""Subscriptions in the asyncio face: confirmed, kept over reconnects, with the gap told."""

import asyncio

import corbel
import pytest
from conftest import until_async


async def collect(source):
    return [notice async for notice in source]


def test_channels_and_patterns(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            async with r.subscribe(key, patterns=[key + ":*"]) as sub:
                assert await r.execute("PUBLISH", key, b"one\0") == 1
                note = await sub.get(5)
                assert note == corbel.Notice("message", key.encode(), b"one\0", None, note.epoch, 0) and note.epoch >= 1
                await r.execute("PUBLISH", key + ":a", "two")
                assert (await sub.get(5))[1:4] == ((key + ":a").encode(), b"two", (key + ":*").encode())
                await sub.add(key + "more")
                await r.execute("PUBLISH", key + "more", "three")
                assert (await sub.get(5)).payload == b"three"
                await sub.remove(key, patterns=[key + ":*"])
                assert await r.execute("PUBLISH", key, "nobody") == 0
                with pytest.raises(corbel.Timeout):
                    await sub.get(0.05)
            assert await r.execute("PUBLISH", key + "more", "nobody") == 0

    run(main())


def test_async_for_subscribes_by_itself(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url, decode=True) as r:

            async def publish():
                while not await r.execute("PUBLISH", key, "first"):
                    await asyncio.sleep(0.002)
                for number in range(500):
                    await r.execute("PUBLISH", key, number)

            publishing = asyncio.ensure_future(publish())
            seen = []
            async for note in r.subscribe(key):
                seen.append(note.payload)
                if note.payload == "499":
                    break
            await publishing
            assert seen == ["first"] + [str(number) for number in range(500)]

    run(main())


def test_closing_ends_the_loop(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            sub, seen = r.subscribe(key), []

            async def read():
                async for note in sub:
                    seen.append(note.payload)

            reading = asyncio.ensure_future(read())
            while not await r.execute("PUBLISH", key, "x"):
                await asyncio.sleep(0.002)
            await until_async(lambda: seen, "the notice came")
            await sub.close()
            await reading
            assert seen == [b"x"]
            with pytest.raises(corbel.Closed):
                await sub.add("other")

    run(main())


def test_the_pools_end_is_the_subscriptions_end(run, server, key):
    async def main():
        async with corbel.Runtime() as rt:
            r = rt.redis(server.url)
            async with r.subscribe(key) as sub, r.monitor() as monitor:
                reading = [asyncio.ensure_future(sub.get()), asyncio.ensure_future(collect(monitor))]
                await asyncio.sleep(0)
                await r.close()
                with pytest.raises(corbel.Closed):
                    await reading[0]
                await reading[1]
            r = rt.redis(server.url)
            async with r.subscribe(key) as sub:
                reading = [asyncio.ensure_future(collect(sub))]
                await asyncio.sleep(0)
                await rt.shutdown()
                await reading[0]

    run(main())


def test_a_slow_reader_loses_the_oldest_and_is_told(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            async with r.subscribe(key, max_notices=10) as sub, r.subscribe(key) as quick:
                for number in range(100):
                    await r.execute("PUBLISH", key, number)
                while (await quick.get(5)).payload != b"99":
                    pass
                notes = []
                while not notes or notes[-1].payload != b"99":
                    notes.append(await sub.get(5))
                assert len(notes) <= 10
                assert sum(note.dropped for note in notes) + len(notes) == 100

    run(main())


def test_kept_over_a_restart_of_the_server(run, own_server):
    async def main():
        async with corbel.Runtime(log_level="off") as rt, rt.redis(own_server.url) as r:
            async with r.subscribe("news", patterns=["job:*"]) as sub:
                await r.execute("PUBLISH", "news", "before")
                before = await sub.get(5)
                own_server.stop()
                gap = await sub.get(10)
                assert (gap.kind, gap.epoch) == ("gap", before.epoch)
                own_server.start()
                back = await sub.get(10)
                assert back.kind == "resubscribed" and back.epoch > before.epoch
                for channel in ("news", "job:7"):
                    assert await r.execute("PUBLISH", channel, "after") == 1
                    after = await sub.get(5)
                    assert (after.kind, after.payload, after.epoch) == ("message", b"after", back.epoch)

    run(main())


def test_many_subscriptions_of_one_name(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            subs = [r.subscribe(key) for _ in range(20)]
            await asyncio.gather(*(sub.add(key) for sub in subs))
            assert await r.execute("PUBLISH", key, "all") == 1  # the server was asked once
            for sub in subs:
                assert (await sub.get(5)).payload == b"all"
            for sub in subs[1:]:
                await sub.close()
            assert await r.execute("PUBLISH", key, "one") == 1
            assert (await subs[0].get(5)).payload == b"one"

    run(main())
