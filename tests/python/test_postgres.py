"""The pool: statements, errors, transactions, time-outs, cancelling, sizes."""

import asyncio
import time

import corbel
import pytest


@pytest.fixture
def table(request, postgres):
    """A name for a table of the test's own."""
    return "t_" + "".join(c if c.isalnum() else "_" for c in request.node.name).lower()


def test_statements_of_many_tasks_share_connections(run, postgres):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url, max_size=3) as pool:

            async def ask(i):
                return await pool.fetchval("SELECT $1 * 2", i)

            assert await asyncio.gather(*(ask(i) for i in range(500))) == [2 * i for i in range(500)]
            stats = pool.stats()
            assert stats.max == 3 and 1 <= stats.open <= 3 and stats.statements >= 500 and stats.unanswered == 0

    run(main())


def test_tags_rows_and_values(run, postgres, table):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url) as pool:
            assert await pool.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, name text)") == "CREATE TABLE"
            assert await pool.execute(f"INSERT INTO {table} VALUES ($1, $2), ($3, $4)", 1, "a", 2, None) == "INSERT 0 2"
            assert await pool.fetch(f"SELECT * FROM {table} ORDER BY id", read_only=True) == [(1, "a"), (2, None)]
            assert await pool.fetchval(f"SELECT * FROM {table} ORDER BY id", column=1, prepare=False) == "a"
            assert await pool.fetch(f"DELETE FROM {table} WHERE id = 9") == []
            assert await pool.fetchval(f"UPDATE {table} SET name = 'b' WHERE id = 2 RETURNING name") == "b"

    run(main())


def test_an_error_of_the_server_keeps_its_fields(run, postgres, table):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url) as pool:
            await pool.execute(f"CREATE TABLE {table} (id int PRIMARY KEY)")
            await pool.execute(f"INSERT INTO {table} VALUES (1)")
            with pytest.raises(corbel.Refused) as caught:
                await pool.execute(f"INSERT INTO {table} VALUES (1)")
            error = caught.value
            assert error.native == "23505" and error.source == "postgres"
            assert error.field("constraint") == f"{table}_pkey" and error.field("table") == table
            assert "already exists" in error.field("detail") and error.field("hint") is None
            with pytest.raises(corbel.Refused) as caught:
                await pool.fetch("SELECT nothing_of_that_name")
            assert caught.value.native == "42703" and caught.value.field("position") == "8"

    run(main())


def test_what_holds_a_connection_needs_one(run, postgres):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url) as pool:
            for statement in ("BEGIN", "SET x.y = 1", "LISTEN a", "COPY t FROM STDIN"):
                with pytest.raises(corbel.Invalid):
                    await pool.execute(statement)
            k = await pool.acquire()
            assert k.backend > 0
            await k.execute("SET x.y = '1'")
            assert await k.fetchval("SELECT current_setting('x.y')") == "1"
            k.release()
            with pytest.raises(corbel.Closed):
                await k.execute("SELECT 1")

    run(main())


def test_a_transaction_is_committed_or_rolled_back(run, postgres, table):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url, max_size=2) as pool:
            await pool.execute(f"CREATE TABLE {table} (id int PRIMARY KEY)")
            insert = f"INSERT INTO {table} VALUES ($1)"
            async with pool.transaction() as tx:
                await tx.execute(insert, 1)
                assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 0
            with pytest.raises(KeyError):
                async with pool.transaction() as tx:
                    await tx.execute(insert, 2)
                    raise KeyError
            async with pool.transaction() as tx:
                await tx.execute(insert, 3)
                await tx.rollback()
            with pytest.raises(corbel.Refused) as caught:
                async with pool.transaction() as tx:
                    with pytest.raises(corbel.Refused):
                        await tx.execute(insert, 1)
            assert caught.value.native == "25P02"  # nothing was committed, and the block says so
            assert await pool.fetch(f"SELECT id FROM {table}") == [(1,)]
            assert pool.stats().leased <= 2
            with pytest.raises(corbel.State):
                await tx.rollback()

    run(main())


def test_a_transaction_within_one_is_a_savepoint(run, postgres, table):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url) as pool:
            await pool.execute(f"CREATE TABLE {table} (id int PRIMARY KEY)")
            insert = f"INSERT INTO {table} VALUES ($1)"
            async with pool.transaction(isolation="repeatable read") as tx:
                assert await tx.fetchval("SHOW transaction_isolation") == "repeatable read"
                async with tx.transaction():
                    await tx.execute(insert, 1)
                with pytest.raises(corbel.Refused):
                    async with tx.transaction() as inner:
                        async with inner.transaction():
                            await inner.execute(insert, 2)
                        await inner.execute(insert, 1)
                assert await tx.executemany(insert, [(i,) for i in range(10, 610)]) == 600
            assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 601
            with pytest.raises(corbel.Refused):
                await pool.executemany(insert, [(700,), (1,), (701,)])
            assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 601
            with pytest.raises(corbel.Invalid):
                pool.transaction(isolation="none")
            async with pool.transaction(isolation="serializable", read_only=True, deferrable=True) as tx:
                with pytest.raises(corbel.Refused) as caught:
                    await tx.execute(insert, 5)
                assert caught.value.native == "25006"
                await tx.rollback()

    run(main())


def test_retry_runs_again_after_a_serialization_failure(run, postgres, table):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url) as pool:
            await pool.execute(f"CREATE TABLE {table} (n int)")
            await pool.execute(f"INSERT INTO {table} VALUES (0)")
            calls = []

            async def add(tx):
                n = await tx.fetchval(f"SELECT n FROM {table}")
                calls.append(1)
                while len(calls) < 4:  # all have read before one writes
                    await asyncio.sleep(0.001)
                await tx.execute(f"UPDATE {table} SET n = $1", n + 1)
                return n

            await asyncio.gather(*(pool.retry(add, isolation="serializable", attempts=50) for _ in range(4)))
            assert await pool.fetchval(f"SELECT n FROM {table}") == 4
            assert len(calls) > 4

            async def wrong(tx):
                calls.append(2)
                await tx.execute("SELECT 1 / 0")

            with pytest.raises(corbel.Refused):
                await pool.retry(wrong)
            assert calls.count(2) == 1

    run(main())


def test_time_outs_and_cancelling(run, postgres):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url, max_size=2) as pool:
            with pytest.raises(corbel.Timeout):
                await pool.fetch("SELECT pg_sleep(20)", timeout=0.05)
            task = asyncio.ensure_future(pool.fetch("SELECT pg_sleep(21)"))
            running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(21)'"
            while await pool.fetchval(running) == 0:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            began = time.monotonic()
            while await pool.fetchval(running):  # the server was told too
                await asyncio.sleep(0.01)
                assert time.monotonic() < began + 10

    run(main())


def test_a_full_pool_says_so(run, postgres):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url, max_size=1) as pool:
            async with pool.acquire() as k:
                with pytest.raises(corbel.Busy, match="1"):
                    await pool.acquire(timeout=0.05)
                waiting = asyncio.ensure_future(pool.fetchval("SELECT 5"))
                assert await k.fetchval("SELECT 6") == 6
            assert await waiting == 5
            pool.resize(0, 2)
            async with pool.acquire() as a, pool.acquire() as b:
                assert a.backend != b.backend
            with pytest.raises(corbel.Invalid):
                pool.resize(3, 2)

    run(main())


def test_wrong_settings_are_told_at_once(run, postgres):
    async def main():
        async with corbel.Runtime() as rt:
            with pytest.raises(corbel.Invalid) as caught:
                rt.postgres("postgresql://u:secret@h/db?nonsense=1")
            assert "secret" not in str(caught.value)
            with pytest.raises(corbel.Invalid):
                rt.postgres(postgres.url, min_size=5, max_size=2)
            unprepared = rt.postgres(postgres.url, max_prepared=0, discard_all=True)
            assert await unprepared.fetchval("SELECT count(*) FROM pg_prepared_statements") == 0
            await unprepared.close()
            with pytest.raises(corbel.Closed):
                await unprepared.fetchval("SELECT 1")

    run(main())
