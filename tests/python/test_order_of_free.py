"""Objects may go in any order, with calls under way; nothing is left behind."""

import asyncio
import gc
import itertools
import os
import random

import corbel
import corbel.blocking
from conftest import until

NAMES = ["rt", "r", "k", "sub", "monitor", "producer", "consumer", "message"]


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_asyncio_face_in_any_order(run, server, key):
    async def once(order):
        held = {}
        rt = held["rt"] = corbel.Runtime(log_level="off")
        r = held["r"] = rt.redis(server.url)
        held["k"] = await r.lease()
        held["sub"] = r.subscribe(key)
        await held["sub"].add(key)
        held["monitor"] = r.monitor()
        producer = held["producer"] = r.producer(key)
        await producer.put("x")
        consumer = held["consumer"] = r.consumer(key)
        held["message"] = await consumer.get(5)
        calls = [asyncio.ensure_future(call) for call in (r.execute("PING"), held["k"].execute("PING"), producer.depth())]
        pump = rt._pump
        del rt, r, producer, consumer
        for name in order:
            del held[name]
            gc.collect()
            await asyncio.sleep(0)
        await asyncio.gather(*calls, return_exceptions=True)
        pump.close()

    async def main():
        for order in [NAMES, NAMES[::-1]] + [random.Random(seed).sample(NAMES, len(NAMES)) for seed in range(12)]:
            await once(order)

    run(main())
    gc.collect()


def test_blocking_face_in_any_order(server, key):
    for order in itertools.islice(itertools.permutations(["rt", "r", "k", "sub", "monitor"]), 0, None, 7):
        held = {}
        rt = held["rt"] = corbel.blocking.Runtime(log_level="off")
        r = held["r"] = rt.redis(server.url)
        held["k"] = r.lease()
        held["sub"] = r.subscribe(key)
        held["sub"].add(key)
        held["monitor"] = r.monitor()
        held["monitor"].listen(lambda change: None)
        del rt, r
        for name in order:
            del held[name]
            gc.collect()


def test_nothing_is_left(run, server):
    """Descriptors and threads are those of before, after many runtimes of both faces."""

    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r, r.subscribe("c"), r.monitor():
            await r.execute("PING")

    def both():
        run(main())
        with corbel.blocking.Runtime() as rt, rt.redis(server.url) as r, r.subscribe("c"), r.monitor() as monitor:
            monitor.listen(lambda change: None)
            r.execute("PING")

    both()
    gc.collect()
    before, threads = open_descriptors(), len(os.listdir("/proc/self/task"))
    for _ in range(10):
        both()
    gc.collect()
    until(lambda: open_descriptors() <= before, "descriptors are closed")
    until(lambda: len(os.listdir("/proc/self/task")) <= threads, "threads have ended")
