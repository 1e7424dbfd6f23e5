# Lesson: learn of a lost server and of its return without asking. Kill the server and start it again while this runs; it
# ends after the first recovery.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     REDIS_URL=redis://localhost:6379 python3 examples/lessons/python/watch_reconnect.py
import asyncio
import os

import corbel

URL = os.environ.get("REDIS_URL", "redis://localhost:6379")
UP = (corbel.RedisState.UP, corbel.RedisState.RESUBSCRIBED)


async def main() -> None:
    print("lesson: watch_reconnect", flush=True)
    async with corbel.Runtime(name="watch_reconnect") as rt, rt.redis(URL) as r:
        was_up = was_lost = False
        # A PING after 1 s of silence finds servers that are stopped rather than gone; a closed socket is seen at once.
        async with r.monitor(ping=1, overdue=1) as monitor:
            async for change in monitor:
                why = f": {change.why}" if change.why else ""
                print(f"{change.state.name.lower()}, epoch {change.epoch}{why}", flush=True)
                up = change.state in UP
                if up and was_lost:
                    print("recovered")  # the place to read again what may have been missed
                    break
                if up and not was_up:
                    print("(now please stop the server, and then start it again)", flush=True)
                was_lost = was_lost or (was_up and not up)
                was_up = was_up or up


asyncio.run(main())
