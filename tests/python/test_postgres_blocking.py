"""PostgreSQL in the blocking face."""

import threading

import corbel
import corbel.blocking
import pytest


@pytest.fixture
def pool(postgres):
    with corbel.blocking.Runtime() as rt, rt.postgres(postgres.url, max_size=4) as pool:
        yield pool


def test_statements_of_many_threads(pool):
    wrong = []

    def ask(number):
        for i in range(100):
            if pool.fetchval("SELECT $1 + $2", number, i) != number + i:
                wrong.append((number, i))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [] and pool.stats().statements >= 800


def test_transactions_and_savepoints(pool):
    pool.execute("CREATE TABLE blocking_tx (id int PRIMARY KEY)")
    insert = "INSERT INTO blocking_tx VALUES ($1)"
    with pool.transaction() as tx:
        tx.execute(insert, 1)
        with pytest.raises(corbel.Refused):
            with tx.transaction() as inner:
                inner.execute(insert, 1)
        assert tx.executemany(insert, [(i,) for i in range(10, 410)]) == 400
    with pytest.raises(KeyError):
        with pool.transaction() as tx:
            tx.execute(insert, 2)
            raise KeyError
    with pytest.raises(corbel.Refused):
        pool.executemany(insert, [(700,), (1,), (701,)])
    assert pool.fetchval("SELECT count(*) FROM blocking_tx") == 401


def test_retry(pool):
    pool.execute("CREATE TABLE blocking_retry (n int)")
    pool.execute("INSERT INTO blocking_retry VALUES (0)")

    def add(tx):
        n = tx.fetchval("SELECT n FROM blocking_retry")
        tx.execute("UPDATE blocking_retry SET n = $1", n + 1)

    work = [threading.Thread(target=lambda: pool.retry(add, isolation="serializable", attempts=50)) for _ in range(4)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert pool.fetchval("SELECT n FROM blocking_retry") == 4


def test_streams_and_copy(pool):
    assert [row[0] for row in pool.stream("SELECT i FROM generate_series(1, 500) i", chunk=100)] == list(range(1, 501))
    with pool.stream("SELECT generate_series(1, 100000000)") as rows:
        assert next(rows) == (1,)
    pool.execute("CREATE TABLE blocking_copy (id int, line text)")
    assert pool.copy_in("COPY blocking_copy FROM STDIN", ((i, "x") for i in range(10000))) == 10000
    assert b"".join(pool.copy_out("COPY blocking_copy TO STDOUT")).count(b"\n") == 10000
    with pool.acquire() as k:
        assert k.backend > 0
        with pytest.raises(corbel.Refused):
            k.copy_in("COPY blocking_copy FROM STDIN", "not a number\tx\n")
        assert k.fetchrow("SELECT count(*) FROM blocking_copy") == (10000,)
        k.discard()
    with pytest.raises(corbel.Closed):
        k.fetch("SELECT 1")


def test_errors_and_time_outs(pool):
    with pytest.raises(corbel.Refused) as caught:
        pool.fetch("SELECT 1 / 0")
    assert caught.value.native == "22012" and caught.value.field("severity") == "ERROR"
    with pytest.raises(corbel.Timeout):
        pool.fetch("SELECT pg_sleep(20)", timeout=0.05)
    with pool.acquire(), pool.acquire(), pool.acquire(), pool.acquire():
        with pytest.raises(corbel.Busy):
            pool.acquire(timeout=0.05)
    pool.resize(0, 5)
    assert pool.stats().max == 5


def test_listening(pool):
    with pool.listen("news") as listener:
        pool.execute("SELECT pg_notify('news', 'hello')")
        assert listener.get(10)[:3] == ("message", "news", "hello")
        listener.add("more")
        listener.remove("news", "more")
        with pytest.raises(corbel.Timeout):
            listener.get(0.05)
    with pytest.raises(corbel.Closed):
        listener.get(1)
