"""The queue in the asyncio face: put, work, give back, drain."""

import asyncio

import corbel
import pytest
from conftest import until_async


def test_put_and_work(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            async with r.producer(key) as producer:
                assert await producer.put(b"a\0b", id="first") == 1
                assert await producer.put_all(["text", corbel.Item(b"", "third")]) == 3
                assert await producer.depth() == 3
                async with r.consumer(key) as consumer:
                    one = await consumer.get(5)
                    assert (one.body, one.id, one.attempt) == (b"a\0b", "first", 1) and not one.settled
                    assert await one.done() is True and one.settled
                    with pytest.raises(corbel.State):
                        await one.done()
                    two = await consumer.get(5)
                    assert two.body == b"text" and two.id and two.token > one.token
                    assert await two.done()
                    async with await consumer.get(5) as three:
                        assert (three.body, three.id) == (b"", "third")
                    assert three.settled
                assert await producer.depth() == 0
            with pytest.raises(corbel.Closed):
                await producer.put("late")

    run(main())


def test_giving_back(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            producer, consumer = r.producer(key), r.consumer(key)
            await producer.put("work", id="w")
            message = await consumer.get(5)
            assert message.attempt == 1
            assert await message.retry("not today")
            message = await consumer.get(5)
            assert (message.id, message.attempt) == ("w", 2)
            assert await message.hand_back()
            message = await consumer.get(5)
            assert (message.id, message.attempt) == ("w", 2)
            with pytest.raises(ZeroDivisionError):
                async with message:
                    1 / 0
            message = await consumer.get(5)
            assert message.attempt == 3
            del message  # dropped unsettled: handed back
            message = await consumer.get(5)
            assert (message.id, message.attempt) == ("w", 3)

            async def cancelled():
                async with message:
                    await asyncio.sleep(60)

            task = asyncio.ensure_future(cancelled())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            message = await consumer.get(5)
            assert (message.id, message.attempt) == ("w", 3)
            await message.done()
            assert await consumer.close() == 0

    run(main())


def test_many_workers_work_everything_once(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            producer = r.producer(key)
            done = []
            async with r.consumer(key, concurrency=8, prefetch=8) as consumer:

                async def work():
                    async for message in consumer:
                        async with message:
                            done.append(int(message.body))

                workers = [asyncio.ensure_future(work()) for _ in range(8)]
                await asyncio.gather(*(producer.put(str(number)) for number in range(300)))
                await until_async(lambda: len(done) >= 300, "everything was worked")
                assert await consumer.drain() == 0
                await asyncio.gather(*workers)
            assert sorted(done) == list(range(300))
            assert await producer.depth() == 0

    run(main())


def test_draining_hands_back_what_nobody_got(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            producer = r.producer(key)
            await producer.put_all([str(number) for number in range(20)])
            consumer = r.consumer(key, concurrency=4, prefetch=4)
            held = await consumer.get(5)
            await until_async(lambda: len(consumer._mailbox._items) >= 3, "more were claimed")
            assert await consumer.drain(0.1) == 1  # the one that is held
            assert await producer.depth() == 19
            with pytest.raises(corbel.Closed):
                await consumer.get()
            assert await held.done() is True
            await consumer.close()

    run(main())


def test_options_of_later_versions(run, server):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            with pytest.raises(corbel.Invalid):
                await r.producer("k").put("body", id="x" * 129)

    run(main())
