"""redis-py's asyncio client with hiredis: N tasks that GET in a loop on one client, whose pool has a connection for each.

    redis_py_asyncio.py --port 6379 --tasks 64 --seconds 2 --key k --size 64 [--client-per-task]

--client-per-task gives every task a client of its own with one connection: more to write, less work in the pool.
"""
import argparse
import asyncio
import json
import resource
import time

import redis
import redis.asyncio
from redis.asyncio.connection import HiredisParser

WARM_UP = 0.3


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def run(o: argparse.Namespace) -> dict:
    def open_client(connections: int) -> redis.asyncio.Redis:
        pool = redis.asyncio.ConnectionPool(
            host="127.0.0.1", port=o.port, max_connections=connections, parser_class=HiredisParser
        )
        return redis.asyncio.Redis(connection_pool=pool, single_connection_client=connections == 1)

    if o.client_per_task:
        clients = [await open_client(1).initialize() for _ in range(o.tasks)]
    else:
        clients = [open_client(o.tasks)] * o.tasks
    done = 0
    running = True

    async def caller(client: redis.asyncio.Redis) -> None:
        nonlocal done
        while running:
            value = await client.get(o.key)
            if len(value) != o.size:
                raise SystemExit("not the value that was set")
            done += 1

    tasks = [asyncio.ensure_future(caller(client)) for client in clients]
    await asyncio.sleep(WARM_UP)
    wall, used, before = time.monotonic(), cpu(), done
    await asyncio.sleep(o.seconds)
    wall, used, ops = time.monotonic() - wall, cpu() - used, done - before
    running = False
    await asyncio.gather(*tasks)
    for client in set(clients):
        await client.close()
        await client.connection_pool.disconnect()
    return {"ops_per_s": ops / wall, "cpu_us_per_op": 1e6 * used / ops, "ops": ops, "seconds": wall}


def main() -> None:
    p = argparse.ArgumentParser()
    p.add_argument("--port", type=int, default=6379)
    p.add_argument("--tasks", type=int, default=64)
    p.add_argument("--seconds", type=float, default=2.0)
    p.add_argument("--key", default="key:__rand_int__")
    p.add_argument("--size", type=int, default=64)
    p.add_argument("--client-per-task", action="store_true")
    p.add_argument("--version", action="store_true")
    o = p.parse_args()
    if o.version:
        import hiredis

        print(f"{redis.__version__}, hiredis {hiredis.__version__}")
        return
    print(json.dumps(asyncio.run(run(o))))


if __name__ == "__main__":
    main()
