"""Rows and COPY piece by piece, and LISTEN."""

import asyncio

import corbel
import pytest


async def numbers(n):
    for i in range(n):
        yield (i, f"line {i}\twith\\all\nof it")


def test_rows_are_streamed(run, postgres):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url, max_size=1) as pool:
            seen = [row["i"] async for row in pool.stream("SELECT i FROM generate_series(1, $1) i", 1000, chunk=7)]
            assert seen == list(range(1, 1001))
            assert [row async for row in pool.stream("SELECT 1 WHERE false")] == []
            async with pool.stream("SELECT generate_series(1, 1000000000)") as rows:
                async for row in rows:
                    if row[0] == 10:
                        break
            assert await pool.fetchval("SELECT 1") == 1  # its connection came back
            with pytest.raises(corbel.Refused) as caught:
                async for _ in pool.stream("SELECT 1 / (10 - i) FROM generate_series(1, 20) i", chunk=3):
                    pass
            assert caught.value.native == "22012"
            async with pool.transaction() as tx:
                assert [row async for row in tx.stream("SELECT 1")] == [(1,)]
                assert await tx.fetchval("SELECT 2") == 2

    run(main())


def test_copy_in_and_out(run, postgres):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url) as pool:
            await pool.execute("CREATE TABLE copied (id int PRIMARY KEY, line text, more int[])")
            into = "COPY copied (id, line) FROM STDIN"
            assert await pool.copy_in(into, numbers(1000)) == 1000
            assert await pool.copy_in(into, [(5000, None), [5001, ""]]) == 2
            assert await pool.copy_in(into, b"6000\ta\n6002\tc") == 2
            assert await pool.copy_in(into, ["6001\t", b"b\n"]) == 1
            assert await pool.copy_in("COPY copied FROM STDIN", [(7000, "x", [1, None])]) == 1
            assert await pool.fetch("SELECT * FROM copied WHERE id IN (7, 5000, 5001, 6001, 7000) ORDER BY id") == [
                (7, "line 7\twith\\all\nof it", None),
                (5000, None, None),
                (5001, "", None),
                (6001, "b", None),
                (7000, "x", [1, None]),
            ]
            out = b"".join([data async for data in pool.copy_out("COPY copied TO STDOUT")])
            assert out.count(b"\n") == 1006 and b"5000\t\\N\t\\N\n" in out

    run(main())


def test_a_copy_that_fails_leaves_no_row(run, postgres):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url, max_size=1) as pool:
            await pool.execute("CREATE TABLE cut (id int PRIMARY KEY)")
            with pytest.raises(corbel.Refused) as caught:
                await pool.copy_in("COPY cut FROM STDIN", [(1,), (1,)])
            assert caught.value.native == "23505"

            def broken():
                yield (1,)
                raise KeyError

            with pytest.raises(KeyError):
                await pool.copy_in("COPY cut FROM STDIN", broken())
            with pytest.raises(corbel.Refused):
                await pool.copy_in("COPY nowhere FROM STDIN", [(1,)])
            with pytest.raises(corbel.Invalid):
                await pool.copy_in("COPY cut TO STDOUT", [(1,)])
            assert await pool.fetchval("SELECT count(*) FROM cut") == 0

    run(main())


def test_notices_of_channels(run, postgres):
    async def main():
        async with corbel.Runtime() as rt, rt.postgres(postgres.url) as pool:
            async with pool.listen("news") as listener:
                await listener.add("Sports and more")
                await pool.execute("SELECT pg_notify('news', 'one')")
                note = await listener.get(10)
                assert note[:3] == ("message", "news", "one") and note.backend > 0 and note.epoch >= 1
                await pool.execute("SELECT pg_notify('Sports and more', '')")
                assert (await listener.get(10))[:3] == ("message", "Sports and more", "")
                await listener.remove("news")
                await pool.execute("SELECT pg_notify('news', 'nobody hears')")
                with pytest.raises(corbel.Timeout):
                    await listener.get(0.1)
                with pytest.raises(corbel.Invalid):
                    await listener.add("")
            with pytest.raises(corbel.Closed):
                await listener.get(1)

    run(main())


def test_a_listener_survives_a_restart_and_says_so(run, own_postgres):
    async def main():
        async with corbel.Runtime(log_level="off") as rt, rt.postgres(own_postgres.url) as pool:
            async with pool.listen("news") as listener:
                first = await _message(listener, pool)
                own_postgres.stop()
                assert (await listener.get(10)).kind == "gap"
                own_postgres.start()
                again = await listener.get(20)
                assert again.kind == "listening" and again.epoch > first.epoch
                assert (await _message(listener, pool)).epoch == again.epoch

    async def _message(listener, pool):
        await pool.execute("SELECT pg_notify('news', 'x')", idempotent=True)
        return await listener.get(10)

    run(main())


def test_the_reader_of_a_closed_pool_ends(run, postgres):
    async def main():
        async with corbel.Runtime() as rt:
            pool = rt.postgres(postgres.url)
            listener = pool.listen("x")
            reading = asyncio.ensure_future(_all(listener))
            await pool.fetchval("SELECT 1")
            await pool.close()
            assert await reading == []

    async def _all(listener):
        return [note async for note in listener]

    run(main())
