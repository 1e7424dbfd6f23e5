"""Fixtures. The library is the one that CORBEL_LIBRARY names, by default that of the dev build."""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any, Callable, Coroutine, Iterator, TypeVar

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "bindings" / "python"
os.environ.setdefault("CORBEL_LIBRARY", str(ROOT / "build" / "dev" / "libcorbel.so.0"))
os.environ["PYTHONPATH"] = str(PACKAGE)  # for the programs that tests start
sys.path.insert(0, str(PACKAGE))

from postgres_server import PostgresServer  # noqa: E402
from redis_server import RedisServer  # noqa: E402

T = TypeVar("T")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for all tests that leave it running; each test uses keys of its own name."""
    running = RedisServer(tmp_path_factory.mktemp("redis"))
    yield running
    running.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server for one test, which may stop and start it."""
    running = RedisServer(tmp_path)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests that leave it running; each test uses tables of its own name."""
    running = PostgresServer()
    yield running
    running.remove()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server for one test, which may stop and start it."""
    running = PostgresServer()
    yield running
    running.remove()


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    return str(request.node.nodeid)


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, T]], T]:
    """Runs a coroutine to its end, which must come within 30 s."""

    def runner(coroutine: Coroutine[Any, Any, T]) -> T:
        async def bounded() -> T:
            return await asyncio.wait_for(coroutine, 30)

        return asyncio.run(bounded())

    return runner


def until(condition: Callable[[], object], what: str, seconds: float = 10) -> None:
    """Polls a condition until it holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.002)


async def until_async(condition: Callable[[], object], what: str, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.002)
