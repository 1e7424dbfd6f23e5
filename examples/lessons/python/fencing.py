# Lesson: a worker that was taken for dead and wakes up later must do no harm. Every claim of a message has a token that is
# greater than all before it; what the work changes remembers the greatest it has seen and refuses a smaller one.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     REDIS_URL=redis://localhost:6379 python3 examples/lessons/python/fencing.py
import asyncio
import os

import corbel

URL = os.environ.get("REDIS_URL", "redis://localhost:6379")
QUEUE = "lesson:fencing"
# A store that takes part: any database can do the same in its own words.
SAVE = """
if tonumber(ARGV[2]) < tonumber(redis.call('HGET', KEYS[1], 'token') or 0) then return 'refused' end
redis.call('HSET', KEYS[1], 'value', ARGV[1], 'token', ARGV[2])
return 'saved'"""


async def main() -> None:
    print("lesson: fencing")
    async with corbel.Runtime(name="fencing", log_level="error") as rt, rt.redis(URL, decode=True) as r:
        await r.producer(QUEUE).put("pay the bill")
        first = r.consumer(QUEUE)
        slow = await first.get()
        left = await first.drain(0.05)  # it is to end, and its work does not: the message is handed back
        print(f"drained: {left} handed back, lost to the first worker: {slow.lost}")

        async with r.consumer(QUEUE) as second, await second.get() as message:
            print(f"the second worker's token is greater: {message.token > slow.token}")
            print("second:", await r.eval(SAVE, [QUEUE + ":bill"], ["paid by the second", message.token]))
        print("first, late:", await r.eval(SAVE, [QUEUE + ":bill"], ["paid by the first", slow.token]))
        print("its settlement counts:", await slow.done())
        print("the bill is", await r.execute("HGET", QUEUE + ":bill", "value"))
        await first.close()


asyncio.run(main())
