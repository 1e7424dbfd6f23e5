# Lesson: end without losing work. On SIGTERM claim nothing more, finish what is out, then exit 0. Here the program sends
# the signal to itself in its second message, as a service manager would.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     REDIS_URL=redis://localhost:6379 python3 examples/lessons/python/drain_on_sigterm.py
import asyncio
import os
import signal

import corbel

URL = os.environ.get("REDIS_URL", "redis://localhost:6379")
QUEUE = "lesson:drain_on_sigterm"


async def main() -> None:
    print("lesson: drain_on_sigterm")
    async with corbel.Runtime(name="drain_on_sigterm", log_level="error") as rt, rt.redis(URL) as r:
        await r.producer(QUEUE).put_many(["work"] * 5)
        consumer = r.consumer(QUEUE)
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

        async def drain() -> int:
            await stop.wait()
            return await consumer.drain(10)  # what is not settled after 10 s is handed back; run() returns

        draining = asyncio.ensure_future(drain())
        worked = 0

        @consumer.handler
        async def work(message: corbel.Message) -> None:
            nonlocal worked
            worked += 1
            if worked == 2:
                os.kill(os.getpid(), signal.SIGTERM)
                await stop.wait()

        await consumer.run()
        print(f"drained: {worked} worked, {await draining} left unsettled")
        await consumer.close()


asyncio.run(main())
