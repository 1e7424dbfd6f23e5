# Lesson: a listener wants channels; the pool keeps them on one connection, over reconnects too, and says when there was a
# gap. Entering it completes when the server has confirmed, so what is notified afterwards is not missed.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     DATABASE_URL=postgresql://postgres@localhost/postgres python3 examples/lessons/python/listen.py
import asyncio
import os

import corbel

URL = os.environ.get("DATABASE_URL", "postgresql://postgres@localhost/postgres")


async def main() -> None:
    print("lesson: listen")
    async with corbel.Runtime(name="listen") as rt, rt.postgres(URL) as pool:
        async with pool.listen("lesson_news") as listener:
            for number in range(1, 4):
                await pool.execute("SELECT pg_notify('lesson_news', $1)", f"news {number}")
            async for note in listener:
                if note.kind == "message":
                    print(f"{note.channel} in epoch {note.epoch}: {note.payload}")
                    if note.payload == "news 3":
                        break
                else:  # after a loss: "gap", then "listening" in a new epoch; read again what may have been missed
                    print(note.kind)
        # Leaving the block leaves all channels.


asyncio.run(main())
