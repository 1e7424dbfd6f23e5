# Lesson: a subscription wants names; the library keeps them on one connection, over reconnects too. Entering it completes
# when the server has confirmed, so what is published afterwards is not missed.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     REDIS_URL=redis://localhost:6379 python3 examples/lessons/python/subscribe.py
import asyncio
import os

import corbel

URL = os.environ.get("REDIS_URL", "redis://localhost:6379")


async def main() -> None:
    print("lesson: subscribe")
    async with corbel.Runtime(name="subscribe") as rt, rt.redis(URL, decode=True) as r:
        async with r.subscribe("lesson:news") as sub:
            for number in range(1, 4):
                await r.execute("PUBLISH", "lesson:news", f"news {number}")
            async for note in sub:
                if note.kind == "message":
                    print(f"{note.channel} in epoch {note.epoch}: {note.payload}")
                    if note.payload == "news 3":
                        break
                else:  # after a loss: "gap", then "resubscribed" in a new epoch; read again what may have been missed
                    print(note.kind)
        # Leaving the block leaves all names.


asyncio.run(main())
