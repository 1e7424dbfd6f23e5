# Lesson: a full pool makes callers wait in order, up to their deadline, and then raises Busy with its counts. That is no
# outage: commands on the shared pipeline go on, because one connection always stays for them.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     REDIS_URL=redis://localhost:6379 python3 examples/lessons/python/pool_exhausted.py
import asyncio
import os

import corbel

URL = os.environ.get("REDIS_URL", "redis://localhost:6379")


async def main() -> None:
    print("lesson: pool_exhausted")
    async with corbel.Runtime(name="pool_exhausted") as rt, rt.redis(URL, max_size=3) as r:
        async with r.lease():  # what blocks or changes a connection (MULTI, BLPOP) needs one of its own
            async with r.lease():  # three connections, one stays for commands: now there is none left
                try:
                    await r.lease(timeout=0.1)
                    raise SystemExit("there was a third lease")
                except corbel.Busy as error:
                    print("third lease: BUSY:", error)
                print("a command meanwhile:", (await r.execute("SET", "lesson:pool", 1)).decode())
            # A lease that is given back goes to whoever waits longest.
            async with r.lease() as k:
                await k.execute("PING")
                print("third lease after a release: OK")


asyncio.run(main())
