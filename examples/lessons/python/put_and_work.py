# Lesson: put messages on a queue and work them. A message is leased while it is worked, and settled once: done, retry or
# handed back. If this process died in between, the message would come back to another one when its lease ends.
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
    async with corbel.Runtime(name="put_and_work") as rt, rt.redis(URL) as r:
        async with r.producer(QUEUE) as producer, r.consumer(QUEUE) as consumer:
            await producer.put_all(["first", "second", "third"])  # all or none, in one round trip
            worked = 0
            while worked < 3:
                message = await consumer.get()
                again = message.body == b"first" and message.attempt == 1
                print(f"{message.body.decode()}, attempt {message.attempt}: {'retry' if again else 'done'}")
                if again:
                    await message.retry("lesson")
                else:
                    # False would say that the lease was lost before, and that another worker has the message.
                    worked += await message.done()
        # The usual form is `async for message in consumer: async with message: ...`: done at the end of the inner block,
        # retried when it raises, handed back when its task is cancelled.


asyncio.run(main())
