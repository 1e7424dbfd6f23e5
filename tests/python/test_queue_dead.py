"""The inspector in both faces: figures, the dead, putting them back, removing them."""

import time

import corbel
import corbel.blocking
import pytest


def test_the_figures(run, server, key):
    async def main():
        queue = corbel.Queue(key, lanes=["a", "b"])
        async with corbel.Runtime() as rt, rt.redis(server.url) as r, r.producer(queue) as producer:
            await producer.put_many([corbel.Item("x", lane="b"), corbel.Item("x", lane="b"), corbel.Item("y", delay=60)])
            async with r.inspector(queue) as look, r.consumer(queue) as consumer:
                message = await consumer.get(5)
                stats = await look.stats()
                assert (stats.ready, stats.in_flight, stats.delayed, stats.parked, stats.dead) == (1, 1, 1, 0, 0)
                assert [(lane.name, lane.ready) for lane in stats.lanes] == [("a", 0), ("b", 1)]
                assert 0 <= stats.oldest_age < 60
                await message.done()
            with pytest.raises(corbel.Closed):
                await look.stats()

    run(main())


def test_the_dead(run, server, key):
    async def main():
        queue = corbel.Queue(key, max_attempts=2)
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            async with r.producer(queue) as producer, r.consumer(queue) as consumer, r.inspector(queue) as look:
                await producer.put(b"a\0b\xff", id="odd", group="g")
                for reason in ("first", "second"):
                    async with await consumer.get(5):
                        raise corbel.Retry(reason, delay=0)
                (dead,) = (await look.dead()).messages
                assert (dead.id, dead.body, dead.group, dead.attempts) == ("odd", b"a\0b\xff", "g", 2) and dead.reason
                assert [(a.attempt, a.reason) for a in dead.history] == [(1, "first"), (2, "second")]
                assert all(a.by and abs(a.at - time.time()) < 60 for a in dead.history) and abs(dead.died_at - time.time()) < 60
                assert await look.requeue([dead]) == 1
                async with await consumer.get(5) as message:
                    assert (message.id, message.attempt) == ("odd", 1)
                    raise corbel.Bury("no use")
                (dead,) = (await look.dead()).messages
                assert (dead.reason, dead.attempts) == ("no use", 1)
                assert await look.purge([dead.number]) == 1
                assert await look.dead() == corbel.DeadPage((), None)

    run(main())


def test_pages(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            async with r.producer(key) as producer, r.consumer(key) as consumer, r.inspector(key) as look:
                for number in range(7):
                    await producer.put(str(number))
                    await (await consumer.get(5)).bury(f"reason {number}")
                page = await look.dead(count=3)
                assert [m.reason for m in page.messages] == ["reason 0", "reason 1", "reason 2"] and page.next
                page = await look.dead(page.next, 4)
                assert [m.body for m in page.messages] == [b"3", b"4", b"5", b"6"]
                assert [int(m.body) async for m in look] == list(range(7))
                assert await look.purge([]) == 0
                assert await look.purge(page.messages[:2]) == 2
                await consumer.drain()
                assert await look.requeue() == 5
                assert await producer.depth() == 5
                with pytest.raises(corbel.Invalid):
                    await look.dead(count=0)

    run(main())


def test_the_same_in_the_blocking_face(server, key):
    with corbel.blocking.Runtime() as rt, rt.redis(server.url) as r:
        with r.producer(key) as producer, r.consumer(key) as consumer, r.inspector(key) as look:
            for number in range(3):
                producer.put(str(number))
                with consumer.get(5):
                    raise corbel.Bury(f"reason {number}")
            assert look.stats().dead == 3
            page = look.dead(count=2)
            assert [m.reason for m in page.messages] == ["reason 0", "reason 1"]
            assert [m.body for m in look.dead(page.next).messages] == [b"2"]
            assert [m.body for m in look] == [b"0", b"1", b"2"]
            consumer.drain()
            assert (look.requeue(page.messages[:1]), look.purge([]), look.purge()) == (1, 0, 2)
            assert producer.depth() == 1
