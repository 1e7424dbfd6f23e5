# Lesson: messages of one group, here a conversation, run one at a time and in order, however many workers there are. Other
# groups go on meanwhile.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     REDIS_URL=redis://localhost:6379 python3 examples/lessons/python/one_at_a_time.py
import asyncio
import os
from collections import defaultdict

import corbel

URL = os.environ.get("REDIS_URL", "redis://localhost:6379")
QUEUE = "lesson:one_at_a_time"


async def main() -> None:
    print("lesson: one_at_a_time")
    async with corbel.Runtime(name="one_at_a_time", log_level="error") as rt, rt.redis(URL) as r:
        await r.producer(QUEUE).put_many(
            corbel.Item(f"turn {turn}", group=f"talk {talk}") for turn in range(1, 4) for talk in (1, 2)
        )
        consumer = r.consumer(QUEUE, concurrency=6)
        running, most, heard = set(), 0, defaultdict(list)

        @consumer.handler
        async def work(message: corbel.Message) -> None:
            nonlocal most
            assert message.group not in running, "two of one conversation at once"
            running.add(message.group)
            most = max(most, len(running))
            await asyncio.sleep(0.02)
            running.remove(message.group)
            heard[message.group].append(message.body.decode())
            if sum(map(len, heard.values())) == 6:
                asyncio.ensure_future(consumer.drain())

        await consumer.run()
        for talk, turns in sorted(heard.items()):
            print(f"{talk}: {', '.join(turns)}")
        print(f"conversations at once: {most}")
        await consumer.close()


asyncio.run(main())
