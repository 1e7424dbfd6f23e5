"""A producer's admission and a consumer's concurrency, changed while they run, in both faces."""

import asyncio
import contextlib
import threading

import corbel
import corbel.blocking
import pytest
from conftest import until, until_async


def test_other_rules_of_admission_count_for_the_next_put(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            async with r.producer(key, admission=corbel.Admission(capacity=1, hard=1)) as producer:
                await producer.put("a")
                with pytest.raises(corbel.Busy) as refused:
                    await producer.put("b")
                assert refused.value.reason == "hard_limit_exceeded"
                producer.set_admission(corbel.Admission(capacity=2, hard=1))
                await producer.put("b")
                with pytest.raises(corbel.Busy):
                    await producer.put("c")
                with pytest.raises(corbel.Invalid, match="hard is 2"):
                    producer.set_admission(corbel.Admission(capacity=9, hard=2))
                with pytest.raises(corbel.Busy):
                    await producer.put("c")
                producer.set_admission(None)
                await producer.put("c")
            with pytest.raises(corbel.Closed):
                producer.set_admission(None)

    run(main())


def test_other_rules_in_the_blocking_face(server, key):
    with corbel.blocking.Runtime() as rt, rt.redis(server.url) as r:
        with r.producer(key, admission=corbel.Admission(capacity=1, hard=1)) as producer:
            producer.put("a")
            with pytest.raises(corbel.Busy):
                producer.put("b")
            producer.set_admission(None)
            producer.put("b")
        with pytest.raises(corbel.Closed):
            producer.set_admission(None)


class Gauge:
    """How many are at work now, and how many were at most."""

    def __init__(self):
        self.now = self.most = self.worked = 0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def one(self):
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        yield
        with self._lock:
            self.now -= 1
            self.worked += 1


def test_handlers_become_more_and_fewer(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r, r.producer(key) as producer:
            gauge, gate = Gauge(), asyncio.Semaphore(0)

            async def work(message):
                with gauge.one():
                    await gate.acquire()

            consumer = r.consumer(key)
            running = asyncio.ensure_future(consumer.run(work))
            await producer.put_many(["x"] * 20)
            await until_async(lambda: gauge.now == 1, "one is worked")
            consumer.set_concurrency(4)
            await until_async(lambda: gauge.now == 4, "four are worked")
            consumer.set_concurrency(2)
            gate.release()
            gate.release()
            await until_async(lambda: gauge.worked == 2, "two have ended")
            assert await producer.depth() == 16 and gauge.now == 2
            gauge.most = 0
            for _ in range(18):
                gate.release()
            await until_async(lambda: gauge.worked == 20, "all was worked")
            assert gauge.most <= 2
            with pytest.raises(corbel.Invalid):
                consumer.set_concurrency(0)
            await consumer.close()
            await running
            with pytest.raises(corbel.Closed):
                consumer.set_concurrency(1)

    run(main())


class Stop(BaseException):
    """Ends a worker as nothing else does."""


def test_a_worker_that_came_later_ends_run_as_any_other(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r, r.producer(key) as producer:
            bodies = []

            async def work(message):
                bodies.append(message.body)
                if message.body == b"stop":
                    raise Stop
                await asyncio.Event().wait()

            consumer = r.consumer(key)
            running = asyncio.ensure_future(consumer.run(work))
            await producer.put("wait")
            await until_async(lambda: bodies == [b"wait"], "one is worked")
            consumer.set_concurrency(2)
            await producer.put("stop")
            with pytest.raises(Stop):
                await asyncio.wait_for(running, 10)

    run(main())


def test_threads_become_more_and_fewer(server, key):
    with corbel.blocking.Runtime() as rt, rt.redis(server.url) as r, r.producer(key) as producer:
        gauge, gate = Gauge(), threading.Semaphore(0)

        def work(message):
            with gauge.one():
                gate.acquire()

        consumer = r.consumer(key)
        running = threading.Thread(target=consumer.run, args=[work])
        running.start()
        producer.put_many(["x"] * 20)
        until(lambda: gauge.now == 1, "one is worked")
        consumer.set_concurrency(4)
        until(lambda: gauge.now == 4, "four are worked")
        consumer.set_concurrency(2)
        gate.release(2)
        until(lambda: gauge.worked == 2, "two have ended")
        assert producer.depth() == 16
        gauge.most = 0
        gate.release(18)
        until(lambda: gauge.worked == 20, "all was worked")
        assert gauge.most <= 2
        consumer.close()
        running.join()
        with pytest.raises(corbel.Closed):
            consumer.set_concurrency(1)
