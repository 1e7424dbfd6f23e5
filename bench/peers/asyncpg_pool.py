"""An asyncpg pool: N tasks that run one statement in a loop, each on a connection of the pool for that time.

    asyncpg_pool.py --port 5432 --tasks 64 --connections 8 --statement one|lookup --seconds 2 [--no-reset]

--no-reset switches off the query that asyncpg sends whenever a connection comes back.
"""
import argparse
import asyncio
import json
import sys
from pathlib import Path

import asyncpg

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from statement_loop import measured, options  # noqa: E402


class NotReset(asyncpg.Connection):
    async def reset(self, *, timeout: object = None) -> None:
        pass


async def run(o: argparse.Namespace) -> dict:
    pool = await asyncpg.create_pool(
        host="127.0.0.1", port=o.port, user="postgres", database="postgres", ssl=False, min_size=o.connections,
        max_size=o.connections, connection_class=NotReset if o.no_reset else asyncpg.Connection)
    try:
        return await measured(o, pool.fetchval)
    finally:
        await pool.close()


if __name__ == "__main__":
    p = options()
    p.add_argument("--no-reset", action="store_true")
    p.add_argument("--version", action="store_true")
    given = p.parse_args()
    print(asyncpg.__version__ if given.version else json.dumps(asyncio.run(run(given))))
