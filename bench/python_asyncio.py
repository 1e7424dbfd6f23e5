"""Corbel's Python package under asyncio: N tasks that GET in a loop on one pool.

    CORBEL_LIBRARY=build/release/libcorbel.so PYTHONPATH=bindings/python \
        python3 bench/python_asyncio.py --port 6379 --tasks 64 --seconds 2 --key k --size 64
"""
import argparse
import asyncio
import json
import resource
import time

import corbel

WARM_UP = 0.3


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def run(o: argparse.Namespace) -> dict:
    done = 0
    running = True

    async def caller(redis: corbel.Redis) -> None:
        nonlocal done
        while running:
            value = await redis.execute("GET", o.key)
            if len(value) != o.size:
                raise SystemExit("not the value that was set")
            done += 1

    async with corbel.Runtime() as runtime, runtime.redis(f"redis://127.0.0.1:{o.port}") as redis:
        tasks = [asyncio.ensure_future(caller(redis)) for _ in range(o.tasks)]
        await asyncio.sleep(WARM_UP)
        wall, used, before = time.monotonic(), cpu(), done
        await asyncio.sleep(o.seconds)
        wall, used, ops = time.monotonic() - wall, cpu() - used, done - before
        running = False
        await asyncio.gather(*tasks)
    return {"ops_per_s": ops / wall, "cpu_us_per_op": 1e6 * used / ops, "ops": ops, "seconds": wall}


def main() -> None:
    p = argparse.ArgumentParser()
    p.add_argument("--port", type=int, default=6379)
    p.add_argument("--tasks", type=int, default=64)
    p.add_argument("--seconds", type=float, default=2.0)
    p.add_argument("--key", default="key:__rand_int__")
    p.add_argument("--size", type=int, default=64)
    print(json.dumps(asyncio.run(run(p.parse_args()))))


if __name__ == "__main__":
    main()
