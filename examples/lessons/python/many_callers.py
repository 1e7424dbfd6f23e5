# Lesson: a thousand tasks need one connection. They share a pipeline: what is asked while a write is under way leaves
# together in the next one, and each task still gets its own answer.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     REDIS_URL=redis://localhost:6379 python3 examples/lessons/python/many_callers.py
import asyncio
import os

import corbel

URL = os.environ.get("REDIS_URL", "redis://localhost:6379")
CALLERS = 1000


async def main() -> None:
    print("lesson: many_callers")
    async with corbel.Runtime(name="many_callers") as rt, rt.redis(URL) as r:

        async def caller(number: int) -> bool:
            answer = await r.execute("ECHO", number)
            return int(answer) == number

        right = sum(await asyncio.gather(*(caller(number) for number in range(CALLERS))))
        print(f"{CALLERS} callers, {right} right answers, over {r.stats().open} connection(s)")
        assert right == CALLERS


asyncio.run(main())
