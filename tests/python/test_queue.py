"""The queue in the asyncio face: put, work, give back, drain."""

import asyncio
import json
import time
from datetime import datetime, timedelta, timezone

import corbel
import pytest
from conftest import until_async


def test_put_and_work(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            async with r.producer(key) as producer:
                receipt = await producer.put(b"a\0b", id="first")
                assert receipt == corbel.Receipt(1, ("first",), ()) and receipt.id == "first"
                receipt = await producer.put_many(["text", corbel.Item(b"", "third", group="g")])
                assert receipt.depth == 3 and receipt.ids[1] == "third" and receipt.ids[0]
                assert await producer.depth() == 3
                async with r.consumer(key) as consumer:
                    one = await consumer.get(5)
                    assert (one.body, one.id, one.attempt) == (b"a\0b", "first", 1) and not one.settled and not one.lost
                    assert (one.lane, one.group) == ("", "") and abs(one.put_at - time.time()) < 60
                    assert await one.done() is True and one.settled
                    with pytest.raises(corbel.State):
                        await one.done()
                    two = await consumer.get(5)
                    assert two.body == b"text" and two.id == receipt.ids[0] and two.token > one.token
                    assert await two.done()
                    async with await consumer.get(5) as three:
                        assert (three.body, three.id, three.group) == (b"", "third", "g")
                    assert three.settled
                assert await producer.depth() == 0
            with pytest.raises(corbel.Closed):
                await producer.put("late")

    run(main())


def test_giving_back(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            producer, consumer = r.producer(key), r.consumer(key, backoff=(0.01, 0.01))
            await producer.put("work", id="w")
            message = await consumer.get(5)
            assert message.attempt == 1
            assert await message.retry("not today", delay=0)
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


def test_when_it_is_tried_again(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            async with r.producer(key) as producer, r.consumer(key) as consumer:
                start = time.monotonic()
                await producer.put("later", delay=0.2)
                assert await producer.depth() == 0
                message = await consumer.get(5)
                assert time.monotonic() - start >= 0.2
                start = time.monotonic()
                async with message:
                    raise corbel.Retry("in a moment", delay=0.15)
                message = await consumer.get(5)
                assert message.attempt == 2 and time.monotonic() - start >= 0.15
                start = time.monotonic()
                await message.retry(not_before=datetime.now(timezone.utc) + timedelta(seconds=0.2))
                message = await consumer.get(5)
                assert message.attempt == 3 and time.monotonic() - start >= 0.15
                await message.retry(not_before=time.time() - 5)
                message = await consumer.get(5)
                for wrong in (
                    lambda: message.retry(delay=-1),
                    lambda: message.retry(not_before=datetime.now()),
                    lambda: producer.put("x", delay=-1),
                    lambda: producer.put("x", not_before=datetime.now()),
                ):
                    with pytest.raises(corbel.Invalid):
                        await wrong()
                assert not message.settled and await message.done()

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


def test_draining_hands_back_what_nobody_got_and_what_takes_too_long(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            producer = r.producer(key)
            await producer.put_many([str(number) for number in range(20)])
            consumer = r.consumer(key, concurrency=4, prefetch=4)
            held = await consumer.get(5)
            waiting = asyncio.ensure_future(held.wait_lost())
            await until_async(lambda: len(consumer._mailbox._items) >= 3, "more were claimed")
            assert await consumer.drain(0.1) == 1  # the one that is held
            assert await producer.depth() == 20
            with pytest.raises(corbel.Closed):
                await consumer.get()
            assert held.lost and await waiting is True
            assert await held.done() is False
            await consumer.close()

    run(main())


def test_lanes_groups_and_weights(run, server, key):
    async def main():
        queue = corbel.Queue(key, lanes={"paid": 3, "free": 1})
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            async with r.producer(queue) as producer:
                for lane in ("free", "paid"):
                    await producer.put_many([corbel.Item(lane, lane=lane) for _ in range(8)])
                with pytest.raises(corbel.Invalid):
                    await producer.put("x", lane="other")
                assert await producer.depth() == 16
            async with r.consumer(queue) as consumer:
                seen = []
                for _ in range(8):
                    async with await consumer.get(5) as message:
                        seen.append(message.lane)
                        assert message.body.decode() == message.lane
                assert seen.count("paid") == 6

    run(main())


def test_wrong_options(run, server):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            with pytest.raises(corbel.Invalid):
                await r.producer("k").put("body", id="x" * 129)
            with pytest.raises(corbel.Invalid):
                await r.producer("k", max_body=3).put("body")
            for wrong in (
                lambda: r.consumer(corbel.Queue("k", max_attempts=0)),
                lambda: r.consumer(corbel.Queue("k", layout="another")),
                lambda: r.consumer("k", crashed="maybe"),
                lambda: r.consumer("k", crashed="interrupt", prefetch=1),
                lambda: r.consumer("k", concurrency=0),
                lambda: r.consumer("k", lease=0.001),
                lambda: r.consumer("k", backoff=(2, 1)),
                lambda: r.producer(corbel.Queue("k", lanes=["a", "a"])),
                lambda: r.producer("k", admission=corbel.Admission()),
                lambda: r.producer("k", admission=corbel.Admission(capacity=5, hard=1.5)),
                lambda: r.inspector(corbel.Queue("a\nb")),
            ):
                with pytest.raises(corbel.Invalid):
                    wrong()

    run(main())


def test_the_platform_s_queue(run, server, key):
    async def main():
        queue = corbel.Queue(layout="platform", tenant="acme", project=str(abs(hash(key))), lanes={"paid": 5})
        task = {
            "meta": {"task_id": "t1", "created_at": 1700000000.5},
            "routing": {"bundle_id": "b", "session_id": "s", "conversation_id": "talk"},
            "user": {"user_type": "paid"},
        }
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            async with r.producer(queue) as producer, r.inspector(queue) as look:
                with pytest.raises(corbel.Invalid):
                    await producer.put("no task")
                assert (await producer.put(json.dumps(task))).id == "t1"
                assert {lane.name: lane.ready for lane in (await look.stats()).lanes}["paid"] == 1
                async with r.consumer(queue) as consumer, await consumer.get(5) as message:
                    assert (message.id, message.lane, message.group) == ("t1", "paid", "talk")
                    assert json.loads(message.body) == task
                assert await producer.depth() == 0

    run(main())
