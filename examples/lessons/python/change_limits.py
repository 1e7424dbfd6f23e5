# Lesson: how much a queue takes, and how many of its messages are worked at once, changed while it runs: as where a
# configuration says something else now. What is in hand comes to its end.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     REDIS_URL=redis://localhost:6379 python3 examples/lessons/python/change_limits.py
import asyncio
import os

import corbel

URL = os.environ.get("REDIS_URL", "redis://localhost:6379")
QUEUE = "lesson:change_limits"


async def put(producer: corbel.Producer, body: str) -> None:
    try:
        await producer.put(body)
        print(f"{body}: taken")
    except corbel.Busy as refused:
        print(f"{body}: {refused.reason}")


async def main() -> None:
    print("lesson: change_limits")
    async with corbel.Runtime(name="change_limits", log_level="error") as rt, rt.redis(URL) as r:
        producer = r.producer(QUEUE, admission=corbel.Admission(capacity=2, hard=1))
        for body in "abc":  # c: hard_limit_exceeded
            await put(producer, body)
        producer.set_admission(corbel.Admission(capacity=3, hard=1))
        await put(producer, "d")

        consumer = r.consumer(QUEUE)
        held = [await consumer.get()]  # the concurrency is 1: no other comes
        consumer.set_concurrency(3)
        held += [await consumer.get(), await consumer.get()]
        print(f"held at once: {len(held)}")
        for message in held:
            await message.done()
        await consumer.close()


asyncio.run(main())
