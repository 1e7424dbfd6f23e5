"""N asyncio tasks that run one statement in a loop: the same code for Corbel and its peers."""
import argparse
import asyncio
import random
import resource
import time
from typing import Any, Callable

WARM_UP = 0.3
ROWS = 100_000


def options() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser()
    p.add_argument("--port", type=int, default=5432)
    p.add_argument("--tasks", type=int, default=64)
    p.add_argument("--connections", type=int, default=8)
    p.add_argument("--seconds", type=float, default=2.0)
    p.add_argument("--statement", choices=("one", "lookup"), default="one")
    return p


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measured(o: argparse.Namespace, fetchval: Callable[..., Any]) -> dict:
    done = 0
    running = True

    async def one() -> None:
        nonlocal done
        while running:
            if await fetchval("SELECT 1") != 1:
                raise SystemExit("not the value that is there")
            done += 1

    async def lookup() -> None:
        nonlocal done
        while running:
            if not await fetchval("SELECT name FROM bench WHERE id = $1", random.randrange(ROWS)):
                raise SystemExit("not the value that is there")
            done += 1

    caller = one if o.statement == "one" else lookup
    tasks = [asyncio.ensure_future(caller()) for _ in range(o.tasks)]
    await asyncio.sleep(WARM_UP)
    wall, used, before = time.monotonic(), cpu(), done
    await asyncio.sleep(o.seconds)
    wall, used, ops = time.monotonic() - wall, cpu() - used, done - before
    running = False
    await asyncio.gather(*tasks)
    return {"ops_per_s": ops / wall, "cpu_us_per_op": 1e6 * used / ops, "ops": ops, "seconds": wall}
