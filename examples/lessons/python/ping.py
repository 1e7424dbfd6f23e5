# Lesson: open a runtime and a pool, send one command, await its answer.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     REDIS_URL=redis://localhost:6379 python3 examples/lessons/python/ping.py
import asyncio
import os

import corbel

URL = os.environ.get("REDIS_URL", "redis://localhost:6379")


async def main() -> None:
    print("lesson: ping")
    # Both are closed in turn at the end of the block; a pool begins to connect when it is opened, and does not wait.
    async with corbel.Runtime(name="ping") as rt, rt.redis(URL) as r:
        answer = await r.execute("PING")  # bytes; decode=True here or in rt.redis() makes it str
        print("answered:", answer.decode())


asyncio.run(main())
