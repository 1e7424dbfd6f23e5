# Lesson: a changed document resizes the pools while callers go on. Growth serves who waits, at once; shrinking takes no
# connection from anybody, it closes them as they come back.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     REDIS_URL=redis://localhost:6379 python3 examples/lessons/python/live_resize.py
import asyncio
import os

import corbel

URL = os.environ.get("REDIS_URL", "redis://localhost:6379")


def settings(most: int) -> corbel.Config:
    return corbel.Config.parse({"redis_url": URL, "pools": {"redis_max_connections": most}}, "proc")


async def main() -> None:
    print("lesson: live_resize")
    async with corbel.Runtime(name="live_resize") as rt, rt.pools(settings(3)) as pools:
        r = pools.redis()
        have, changed, done = asyncio.Semaphore(0), asyncio.Event(), asyncio.Semaphore(0)

        async def caller() -> None:
            async with r.lease() as k:  # a connection of its own, kept over the changes
                have.release()
                await changed.wait()
                assert await k.execute("PING") == b"PONG"
                done.release()

        async def show(when: str, more: asyncio.Semaphore, so_many: int, of: str) -> None:
            for _ in range(so_many):
                await more.acquire()
            print(f"{when}: max {r.stats().max}, {of}")

        # Six callers. Of three connections one stays for commands, so that four callers wait.
        callers = [asyncio.create_task(caller()) for _ in range(6)]
        await show("before", have, 2, "2 of 6 callers have a connection")
        # A document usually changes for all services at once: pools.follow() applies what is published.
        pools.apply(settings(7))
        await show("after", have, 4, "6 of 6 callers have a connection")
        pools.apply(settings(3))
        changed.set()
        await show("shrunk", done, 6, "6 of 6 callers were answered")
        await asyncio.gather(*callers)


asyncio.run(main())
