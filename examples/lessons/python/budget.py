# Lesson: the budget compares the connections that all instances of a service may open with what the servers allow, before
# the servers refuse any. Who opens the pools from a configuration asks for it in one call.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     REDIS_URL=redis://localhost:6379 PGHOST=localhost PGUSER=postgres python3 examples/lessons/python/budget.py
import asyncio
import os

import corbel

# A service has its document from the environment: corbel.Config.from_env().
DOCUMENT = {
    "redis_url": os.environ.get("REDIS_URL", "redis://localhost:6379"),
    "pools": {"redis_max_connections": 20, "pg_pool_max_size": 8},
}


async def main() -> None:
    print("lesson: budget")
    async with corbel.Runtime(name="budget", log_level="error") as rt, rt.pools(corbel.Config.parse(DOCUMENT)) as pools:
        pools.postgres()  # who never asks for it is not told about it
        for instances in (3, 30):
            budget = await pools.budget(instances)
            print(f"{instances} instances:", "over" if budget["over"] else "fits")
            print(budget["table"], end="")
        print("health of budget:postgres:", rt.health.state("budget:postgres").name.lower())


asyncio.run(main())
