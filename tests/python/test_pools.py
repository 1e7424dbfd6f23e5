"""The pools of a process, in both faces."""

import json

import corbel
import corbel.blocking
import pytest
from conftest import until, until_async

CHANNEL = "home:default-project:kdcube:config:gateway:update"


@pytest.fixture
def postgres_by_environment(postgres, monkeypatch):
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", str(postgres.port))
    monkeypatch.setenv("PGUSER", "postgres")


def sized(server, connections, component="ingress"):
    return corbel.Config.parse({"redis_url": server.url, "pools": {"redis_max_connections": connections}}, component)


def resized(server, postgres_connections):
    return corbel.Config.parse({"redis_url": server.url, "pools": {"pg_pool_max_size": postgres_connections}}, "ingress")


def update(connections):
    return json.dumps({"config": {"pools": {"redis_max_connections": connections}}})


def test_references_stay_when_others_are_closed(run, own_server):
    async def main():
        async with corbel.Runtime(log_level="off") as rt:
            pools = rt.pools(sized(own_server, 4))
            async with pools.redis() as r:
                assert await r.execute("PING") == b"PONG"
            r = pools.redis("sync")
            text = pools.redis("async_decode")
            await r.execute("SET", "k", b"\xff")
            with pytest.raises(corbel.Protocol):
                await text.execute("GET", "k")
            await r.execute("SET", "k", "word")
            assert await text.execute("GET", "k") == "word" and await r.execute("GET", "k") == b"word"
            with pytest.raises(corbel.Invalid, match="no Redis pool 'other'"):
                pools.redis("other")
            await pools.close()
            assert await r.execute("GET", "k") == b"word"
            with pytest.raises(corbel.Closed):
                pools.redis()

    run(main())


def test_the_document_is_followed(run, own_server):
    async def main():
        async with corbel.Runtime(log_level="off") as rt, rt.pools(sized(own_server, 4)) as pools:
            r = pools.redis("sync")
            following = pools.follow()
            with pytest.raises(corbel.State):
                pools.follow()

            while not await r.execute("PUBLISH", CHANNEL, update(9)):  # until it has subscribed
                pass
            config = await following.get(10)
            assert config.settings["pools"]["redis_max_connections"] == 9
            assert config.settings["origins"]["pools.redis_max_connections"].startswith("an update: ")
            await until_async(lambda: r.stats().max == 9, "the pool is resized")
            await r.execute("PUBLISH", CHANNEL, update("9"))
            await until_async(lambda: rt.health.state("gateway:config") is corbel.HealthState.DEGRADED, "it is refused")
            assert r.stats().max == 9
            pools.apply(sized(own_server, 5))
            assert r.stats().max == 5
            with pytest.raises(corbel.Invalid, match="component proc"):
                pools.apply(sized(own_server, 5, "proc"))
            await pools.close()
            assert [c async for c in following] == []

    run(main())


def test_budget_and_statistics(run, own_server):
    async def main():
        async with corbel.Runtime(log_level="off") as rt, rt.pools(sized(own_server, 4)) as pools:
            budget = await pools.budget(2)
            assert budget["redis"]["planned"] == 24 and budget["redis"]["level"] == "ok" and not budget["over"]
            assert budget["components"][0]["per_process"] == {"postgres": 5, "redis": 12}
            assert budget["table"].startswith("component")
            assert (await pools.budget(2000))["over"]
            assert rt.health.state("budget:redis") is corbel.HealthState.DEGRADED
            with pytest.raises(corbel.Invalid):
                await pools.budget(0)
            assert pools.stats()["redis"]["async"]["max_connections"] == 4
            assert pools.stats()["postgres"] is None

    run(main())


def test_postgres_is_opened_when_it_is_asked_for(run, own_server, postgres_by_environment):
    async def main():
        async with corbel.Runtime(log_level="off") as rt, rt.pools(sized(own_server, 4)) as pools:
            assert pools.stats()["postgres"] is None
            async with pools.postgres() as pg:
                assert await pg.fetchval("SELECT 1") == 1
            pg = pools.postgres()
            assert await pg.fetchval("SELECT 2") == 2 and pg.stats().statements == 2 and pg.stats().max == 5
            assert pools.stats()["postgres"]["max_size"] == 5
            budget = await pools.budget(2)
            assert budget["postgres"]["planned"] == 10 and budget["postgres"]["allowed"] == 100
            pools.apply(resized(own_server, 7))
            assert pg.stats().max == 7
            await pools.close()
            assert await pg.fetchval("SELECT 3") == 3
            with pytest.raises(corbel.Closed):
                pools.postgres()

    run(main())


def test_postgres_in_the_blocking_face(own_server, postgres_by_environment):
    with corbel.blocking.Runtime(log_level="off") as rt:
        with rt.pools(sized(own_server, 4)) as pools:
            with pools.postgres() as pg:
                assert pg.fetchval("SELECT 1") == 1
            pg = pools.postgres()
            pools.apply(resized(own_server, 7))
            assert pg.stats().max == 7
        assert pg.fetchval("SELECT 2") == 2 and pg.stats().statements == 2
        with pytest.raises(corbel.Closed):
            pools.postgres()


def test_the_blocking_face(own_server):
    with corbel.blocking.Runtime(log_level="off") as rt, rt.pools(sized(own_server, 4, "proc")) as pools:
        with pools.redis() as r:
            assert r.execute("PING") == b"PONG"
        r = pools.redis("shared", decode=True)
        r.execute("SET", "k", "word")
        assert r.execute("GET", "k") == "word"
        following = pools.follow()
        while not r.execute("PUBLISH", CHANNEL, update(7)):
            pass
        assert following.get(10).settings["pools"]["redis_max_connections"] == 7
        until(lambda: r.stats().max == 7, "the pool is resized")
        assert pools.budget(3)["redis"]["planned"] == 21
        assert pools.stats()["redis"]["sync"] is None
        pools.apply(sized(own_server, 8, "proc"))
        assert r.stats().max == 8
        with pytest.raises(corbel.Timeout):
            following.get(0.01)
        pools.close()
        assert list(following) == []
        with pytest.raises(corbel.Closed):
            pools.stats()
