# Lesson: a message that cannot be worked is tried again, later each time, and goes to the dead list after its last attempt.
# There somebody looks at it, mends what was wrong, and puts it back.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     REDIS_URL=redis://localhost:6379 python3 examples/lessons/python/retries_and_dead.py
import asyncio
import os

import corbel

URL = os.environ.get("REDIS_URL", "redis://localhost:6379")
QUEUE = corbel.Queue("lesson:retries_and_dead", max_attempts=2)


async def main() -> None:
    print("lesson: retries_and_dead")
    async with corbel.Runtime(name="retries_and_dead", log_level="error") as rt, rt.redis(URL) as r:
        producer, look = r.producer(QUEUE), r.inspector(QUEUE)
        consumer = r.consumer(QUEUE, backoff=(0.05, 60))  # seconds: first, then twice that ... at most
        mended = False

        @consumer.handler
        async def work(message: corbel.Message) -> None:
            print(f"{message.body.decode()}, attempt {message.attempt}: {'done' if mended else 'failed'}")
            if not mended:
                raise corbel.Retry("the printer is on fire")  # as any exception would; Bury gives up at once
            asyncio.ensure_future(consumer.drain())

        await producer.put("order 7")
        running = asyncio.ensure_future(consumer.run())
        while not (page := await look.dead()).messages:
            await asyncio.sleep(0.01)
        for dead in page.messages:
            reasons = [attempt.reason for attempt in dead.history]
            print(f"dead: {dead.body.decode()} after {dead.attempts} attempts: {reasons}")
        mended = True
        print(f"put back: {await look.requeue(page.messages)}")
        await running
        await consumer.close()


asyncio.run(main())
