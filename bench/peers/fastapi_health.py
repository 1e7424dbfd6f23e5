"""GET /health as FastAPI answers it; with REDIS_URL and POSTGRES_URL it opens a pool for each first.

    uvicorn --app-dir bench/peers fastapi_health:app --port 8010
    fastapi_health.py --version
"""
import os
import sys

import fastapi
import uvicorn

app = fastapi.FastAPI()


@app.on_event("startup")
async def open_pools() -> None:
    if "REDIS_URL" in os.environ:
        import redis.asyncio

        app.state.redis = redis.asyncio.from_url(os.environ["REDIS_URL"])
        await app.state.redis.ping()
    if "POSTGRES_URL" in os.environ:
        import asyncpg

        app.state.postgres = await asyncpg.create_pool(os.environ["POSTGRES_URL"], min_size=1)


@app.get("/health")
async def health() -> dict:
    return {"status": "healthy", "draining": False}


if __name__ == "__main__" and "--version" in sys.argv:
    print(f"{fastapi.__version__}, uvicorn {uvicorn.__version__}")
