"""Corbel's Python package under asyncio: a handler that does nothing, N at once, whose messages are acknowledged.

    CORBEL_LIBRARY=build/release/libcorbel.so PYTHONPATH=bindings/python \
        python3 bench/python_queue.py --port 6379 --tasks 64 --messages 100000 --seconds 2 --size 1024
"""
import argparse
import asyncio
import json
import resource
import time

import corbel

WARM_UP = 0.3
FILL = 500


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def run(o: argparse.Namespace) -> dict:
    done = 0

    async def work(message: corbel.Message) -> None:
        nonlocal done
        if len(message.body) != o.size:
            raise SystemExit("not the message that was put")
        done += 1

    async with corbel.Runtime() as runtime, runtime.redis(f"redis://127.0.0.1:{o.port}") as redis:
        async with redis.producer("bench") as producer:
            for _ in range(0, o.messages, FILL):
                await producer.put_many([b"x" * o.size] * FILL)
        async with redis.consumer("bench", concurrency=o.tasks) as consumer:
            working = asyncio.ensure_future(consumer.run(work))
            await asyncio.sleep(WARM_UP)
            wall, used, before = time.monotonic(), cpu(), done
            while time.monotonic() - wall < o.seconds and done < o.messages:
                await asyncio.sleep(0.005)
            wall, used, ops = time.monotonic() - wall, cpu() - used, done - before
            await consumer.drain()
            await working
    return {"ops_per_s": ops / wall, "cpu_us_per_op": 1e6 * used / ops, "ops": ops, "seconds": wall}


def main() -> None:
    p = argparse.ArgumentParser()
    p.add_argument("--port", type=int, default=6379)
    p.add_argument("--tasks", type=int, default=64)
    p.add_argument("--messages", type=int, default=100_000)
    p.add_argument("--seconds", type=float, default=2.0)
    p.add_argument("--size", type=int, default=1024)
    print(json.dumps(asyncio.run(run(p.parse_args()))))


if __name__ == "__main__":
    main()
