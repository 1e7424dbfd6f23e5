"""Corbel's Python package under asyncio: N tasks that run one statement in a loop on one pool.

    CORBEL_LIBRARY=build/release/libcorbel.so PYTHONPATH=bindings/python \
        python3 bench/python_postgres.py --port 5432 --tasks 64 --connections 8 --statement one|lookup --seconds 2
"""
import argparse
import asyncio
import json

import corbel
from statement_loop import measured, options


async def run(o: argparse.Namespace) -> dict:
    url = f"postgresql://postgres@127.0.0.1:{o.port}/postgres?sslmode=disable"
    async with corbel.Runtime() as runtime, runtime.postgres(url, min_size=o.connections, max_size=o.connections) as pool:
        return await measured(o, pool.fetchval)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(options().parse_args()))))
