"""Handlers: what becomes of a message by how its handler ends, in both faces; lost leases; concurrency."""

import asyncio
import contextlib
import logging
import threading
import time

import corbel
import corbel.blocking
import pytest
from conftest import until, until_async


@contextlib.asynccontextmanager
async def opened(server, key, **options):
    async with corbel.Runtime() as rt, rt.redis(server.url) as r:
        async with r.producer(key) as producer, r.inspector(key) as look:
            yield r, producer, look, r.consumer(key, **options)


TAKE_LEASE_AWAY = """
local all = redis.call('HGETALL', KEYS[1] .. ':holders')
for i = 1, #all, 2 do
  local first, count = string.match(all[i + 1], '^(%d+) (%d+)')
  local place = tonumber(ARGV[1]) - tonumber(first)
  if place >= 0 and place < tonumber(count) then
    redis.call('ZADD', KEYS[1] .. ':lost', ARGV[2], all[i] .. ':' .. place)
    return redis.call('HDEL', KEYS[1] .. ':holders', all[i])
  end
end"""


async def take_lease_away(r, key, message):
    """As if this process had been away for longer than the lease: the reaper has taken it."""
    assert await r.execute("EVAL", TAKE_LEASE_AWAY, 1, key, message.token, int(time.time() * 1000)) == 1


def test_how_a_handler_ends_is_what_becomes_of_the_message(run, server, key, caplog):
    async def main():
        async with opened(server, key, concurrency=4, backoff=(0.01, 0.01)) as (r, producer, look, consumer):
            seen = []

            @consumer.handler
            async def work(message):
                what = message.body.decode()
                seen.append((what, message.attempt))
                if what == "bury":
                    raise corbel.Bury("no use")
                if message.attempt == 1 and what == "retry":
                    raise corbel.Retry("later", delay=0.01)
                if message.attempt == 1 and what == "raise":
                    raise ValueError("it went wrong")
                if what == "settle":
                    await message.bury("by hand")
                if what == "wait":
                    await asyncio.sleep(0.01)

            running = asyncio.ensure_future(consumer.run())
            await producer.put_many(["done", "wait", "bury", "retry", "raise", "settle"])
            await until_async(lambda: len(seen) == 8, "all was worked")
            assert await consumer.drain() == 0
            await running
            assert sorted(seen) == [("bury", 1), ("done", 1), ("raise", 1), ("raise", 2), ("retry", 1), ("retry", 2),
                                    ("settle", 1), ("wait", 1)]  # fmt: skip
            assert {m.body: m.reason for m in (await look.dead()).messages} == {b"bury": "no use", b"settle": "by hand"}
            stats = await look.stats()
            assert (stats.ready, stats.in_flight, stats.delayed) == (0, 0, 0)

    with caplog.at_level(logging.WARNING, "corbel.queue"):
        run(main())
    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "attempt 1" in line.getMessage() and line.exc_info and "it went wrong" in str(line.exc_info[1])


def test_a_failed_handler_s_text_is_the_reason(run, server, key):
    async def main():
        async with opened(server, corbel.Queue(key, max_attempts=1)) as (_, producer, look, consumer):

            async def work(message):
                raise ValueError("it went wrong")

            running = asyncio.ensure_future(consumer.run(work))
            await producer.put("x")
            while not (page := await look.dead()).messages:
                await asyncio.sleep(0.002)
            assert page.messages[0].history[0].reason == "ValueError: it went wrong"
            await consumer.close()
            await running

    run(main())


def test_no_more_run_at_once_than_said(run, server, key):
    async def main():
        async with opened(server, key, concurrency=3, prefetch=5) as (_, producer, _, consumer):
            now, most, worked = 0, 0, 0

            async def work(message):
                nonlocal now, most, worked
                now += 1
                most = max(most, now)
                await asyncio.sleep(0.002)
                now -= 1
                worked += 1

            running = asyncio.ensure_future(consumer.run(work))
            await producer.put_many(["x"] * 40)
            await until_async(lambda: worked == 40, "all was worked")
            assert most == 3
            await consumer.close()
            await running

    run(main())


def test_a_plain_function_may_be_the_handler(run, server, key):
    async def main():
        async with opened(server, key) as (_, producer, _, consumer):
            worked = []
            running = asyncio.ensure_future(consumer.run(lambda message: worked.append(message.id)))
            receipt = await producer.put_many(["x"] * 500)
            await until_async(lambda: len(worked) == 500, "all was worked")
            assert tuple(worked) == receipt.ids
            with pytest.raises(corbel.State):
                await consumer.run(print)
            await consumer.close()
            await running
            assert await producer.depth() == 0

    run(main())


def test_a_lost_lease_cancels_its_handler_and_no_other(run, server, key):
    async def main():
        async with opened(server, key, concurrency=2, lease=0.3) as (r, producer, _, consumer):
            told, at_work = [], {}

            async def work(message):
                at_work[message.body] = message
                try:
                    await asyncio.sleep(30 if message.body == b"lost" else 0.5)
                    told.append((message.body, "worked"))
                except asyncio.CancelledError:
                    told.append((message.body, "cancelled", message.lost))
                    raise

            running = asyncio.ensure_future(consumer.run(work))
            for count, body in enumerate(["lost", "kept"]):  # one after the other: a lease is of a claim
                await producer.put(body)
                await until_async(lambda: len(at_work) == count + 1, "it is worked")
            await take_lease_away(r, key, at_work[b"lost"])
            await until_async(lambda: len(told) == 2, "both have ended")
            assert told == [(b"lost", "cancelled", True), (b"kept", "worked")]
            del at_work[b"lost"]
            await producer.put("after")  # the worker whose handler was cancelled goes on
            await producer.put("after")
            await until_async(lambda: len(told) == 4, "the next were worked")
            assert await consumer.drain() == 0
            await running

    run(main())


def test_wait_lost(run, server, key):
    async def main():
        async with opened(server, key, concurrency=2, lease=0.3) as (r, producer, _, consumer):
            await producer.put("lost")
            lost = await consumer.get(5)
            await producer.put("kept")  # alone: a lease is of a claim
            kept = await consumer.get(5)
            waits = [asyncio.ensure_future(message.wait_lost()) for message in (lost, kept)]
            with pytest.raises(corbel.Timeout):
                await kept.wait_lost(0.01)
            await take_lease_away(r, key, lost)
            assert await waits[0] is True and lost.lost and not kept.lost
            assert await kept.done() is True
            assert await waits[1] is False
            assert await lost.done() is False
            await consumer.close()

    run(main())


def test_a_cancelled_run_hands_back(run, server, key):
    async def main():
        async with opened(server, key, concurrency=3) as (r, producer, look, consumer):
            begun = 0

            async def work(message):
                nonlocal begun
                begun += 1
                await asyncio.sleep(60)

            running = asyncio.ensure_future(consumer.run(work))
            await producer.put_many(["x"] * 5)
            await until_async(lambda: begun == 3, "three are worked")
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await consumer.close()
            assert (await look.stats()).ready == 5
            async with r.consumer(key) as again, await again.get(5) as message:
                assert message.attempt == 1

    run(main())


def test_what_ends_a_worker_ends_run(run, server, key):
    class Stop(BaseException):
        pass

    async def main():
        async with opened(server, key) as (r, producer, _, consumer):

            async def work(message):
                raise Stop

            await producer.put("x")
            with pytest.raises(Stop):
                await consumer.run(work)
            with pytest.raises(corbel.Invalid):
                await r.consumer(key + "2").run()
            await consumer.close()
            assert await producer.depth() == 1

    run(main())


def test_something_else_that_was_cancelled_is_a_failure(run, server, key):
    async def main():
        async with opened(server, key, backoff=(0.01, 0.01)) as (_, producer, _, consumer):
            attempts = []

            async def work(message):
                attempts.append(message.attempt)
                if message.attempt == 1:
                    other = asyncio.ensure_future(asyncio.sleep(60))
                    other.cancel()
                    await other

            running = asyncio.ensure_future(consumer.run(work))
            await producer.put("x")
            await until_async(lambda: attempts == [1, 2], "it was tried again")
            assert await consumer.close() == 0
            await running

    run(main())


def test_run_in_the_blocking_face(server, key, caplog):
    with corbel.blocking.Runtime() as rt, rt.redis(server.url) as r, r.producer(key) as producer:
        consumer, seen, names = r.consumer(key, concurrency=3, backoff=(0.01, 0.01)), [], set()

        @consumer.handler
        def work(message):
            what = message.body.decode()
            seen.append((what, message.attempt))
            names.add(threading.current_thread().name)
            if what == "bury":
                raise corbel.Bury("no use")
            if message.attempt == 1 and what in ("retry", "raise"):
                raise corbel.Retry(delay=0) if what == "retry" else ValueError("it went wrong")
            if what == "settle":
                message.done()

        runner = threading.Thread(target=consumer.run)
        runner.start()
        producer.put_many(["done", "bury", "retry", "raise", "settle"])
        until(lambda: len(seen) == 7, "all was worked")
        assert consumer.drain() == 0
        runner.join(10)
        assert not runner.is_alive() and names == {"corbel-worker"}
        assert sorted(seen) == [("bury", 1), ("done", 1), ("raise", 1), ("raise", 2), ("retry", 1), ("retry", 2), ("settle", 1)]
        assert [m.reason for m in r.inspector(key)] == ["no use"]
        consumer.close()
        with pytest.raises(corbel.Invalid):
            r.consumer(key).run()
    assert "it went wrong" in caplog.text


def test_a_lost_lease_in_the_blocking_face(server, key):
    with corbel.blocking.Runtime() as rt, rt.redis(server.url) as r, r.producer(key) as producer:
        with r.consumer(key, lease=0.3) as consumer:
            producer.put("x")
            message = consumer.get(5)
            with pytest.raises(corbel.Timeout):
                message.wait_lost(0.02)
            assert r.execute("EVAL", TAKE_LEASE_AWAY, 1, key, message.token, int(time.time() * 1000)) == 1
            assert message.wait_lost(10) is True and message.lost
            with pytest.raises(corbel.Timeout):
                consumer.get(0.02)  # the notice of the loss is no message
            assert message.done() is False
