import asyncio

import corbel


async def main() -> None:
    async with corbel.Runtime() as rt, rt.redis("redis://localhost:6379", decode=True) as redis:
        try:
            print(await redis.execute("GET", "greeting"))
        except corbel.Unavailable as problem:
            print(problem.message, "- may be tried again:", problem.retriable)


asyncio.run(main())
