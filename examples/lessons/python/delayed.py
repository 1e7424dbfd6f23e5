# Lesson: a message that is not to be worked before its time: so long after the put, or at a time of day by the server's clock.
# It may be up to a second late, for idle consumers look no more often.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     REDIS_URL=redis://localhost:6379 python3 examples/lessons/python/delayed.py
import asyncio
import os
import time

import corbel

URL = os.environ.get("REDIS_URL", "redis://localhost:6379")
QUEUE = "lesson:delayed"


async def main() -> None:
    print("lesson: delayed")
    async with corbel.Runtime(name="delayed", log_level="error") as rt, rt.redis(URL) as r:
        async with r.producer(QUEUE) as producer, r.consumer(QUEUE) as consumer:
            start = time.time()
            await producer.put("in half a second", delay=0.5)
            await producer.put("at a quarter", not_before=start + 0.25)
            await producer.put("at once")
            for due in (0, 0.25, 0.5):
                async with await consumer.get() as message:
                    print(f"{message.body.decode()}: not too early: {time.time() - start >= due}")


asyncio.run(main())
