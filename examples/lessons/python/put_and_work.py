# Lesson: put messages on a queue and work them. A message is leased while it is worked, and settled once: done, to be tried
# again, dead or handed back. If this process died in between, it would come back to another one when its lease ends.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     REDIS_URL=redis://localhost:6379 python3 examples/lessons/python/put_and_work.py
import asyncio
import os

import corbel

URL = os.environ.get("REDIS_URL", "redis://localhost:6379")
QUEUE = "lesson:put_and_work"


async def main() -> None:
    print("lesson: put_and_work")
    async with corbel.Runtime(name="put_and_work", log_level="error") as rt, rt.redis(URL) as r:
        async with r.producer(QUEUE) as producer, r.consumer(QUEUE) as consumer:
            await producer.put_many(["first", "second", "third"])  # all or none, in one round trip
            worked = 0

            @consumer.handler
            async def work(message: corbel.Message) -> None:
                nonlocal worked
                again = message.body == b"first" and message.attempt == 1
                print(f"{message.body.decode()}, attempt {message.attempt}: {'retry' if again else 'done'}")
                if again:
                    raise corbel.Retry("lesson", delay=0)  # any other exception: after a back-off
                worked += 1
                if worked == 3:
                    asyncio.ensure_future(consumer.drain())

            await consumer.run()  # returns after the drain
        # By hand it is `async for message in consumer: async with message: ...`: done at the end of the inner block, retried
        # when it raises, handed back when its task is cancelled.


asyncio.run(main())
