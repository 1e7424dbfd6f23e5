"""Failures: the class, the attributes, and what else each class is."""

import asyncio
import math
import pickle

import corbel
import pytest
from contract import constants
from corbel import errors
from redis_server import free_port


def test_one_class_per_status():
    statuses = {name: value for name, value in constants().items() if -15 < value < 0 and name != "ANSWER_NONE"}
    assert len(statuses) == 14
    for name, value in statuses.items():
        kind = errors.class_of(value)
        assert kind.status == value
        assert kind.__name__.upper() == name.replace("_", "")
        assert issubclass(kind, corbel.Error)
    assert errors.class_of(-99) is corbel.Internal


def test_what_else_they_are():
    assert issubclass(corbel.Timeout, TimeoutError) and issubclass(corbel.Timeout, asyncio.TimeoutError)
    assert issubclass(corbel.Lost, ConnectionError) and issubclass(corbel.Unavailable, ConnectionError)
    assert issubclass(corbel.Invalid, ValueError)
    assert not issubclass(corbel.Cancelled, asyncio.CancelledError)


@pytest.mark.parametrize("kind", [corbel.Refused, corbel.Timeout, corbel.Lost])
def test_they_travel_between_processes(kind):
    error = pickle.loads(pickle.dumps(kind("what happened", source="redis", native="ODD", flags=5)))
    assert type(error) is kind and str(error) == error.message == "what happened"
    assert (error.source, error.native, error.retriable, error.fatal, error.maybe_applied) == ("redis", "ODD", True, False, True)


def test_the_server_refuses(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            await r.execute("SET", key, "text")
            with pytest.raises(corbel.Refused) as caught:
                await r.execute("LPUSH", key, 1)
            error = caught.value
            assert (error.native, error.source, error.status) == ("WRONGTYPE", "redis", -10)
            assert not error.retriable and not error.maybe_applied and not error.fatal
            assert "\n" not in error.message and "WRONGTYPE" in error.message
            with pytest.raises(corbel.Refused) as caught:
                await r.eval("return redis.error_reply('TRYAGAIN later')")
            assert caught.value.retriable and caught.value.native == "TRYAGAIN"

    run(main())


def test_commands_that_need_a_lease_are_refused_at_once(run, server):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r:
            for command in (["MULTI"], ["BLPOP", "k", 0], ["SUBSCRIBE", "c"], ["SELECT", 1]):
                with pytest.raises(corbel.Invalid, match="lease|subscri"):
                    await r.execute(*command)

    run(main())


def test_no_server(run):
    async def main():
        async with corbel.Runtime(log_level="off") as rt, rt.redis(f"redis://:secret@127.0.0.1:{free_port()}") as r:
            with pytest.raises(corbel.Unavailable) as caught:
                await r.execute("INCR", "k", timeout=0.2)
            assert not caught.value.maybe_applied and caught.value.retriable
            assert "secret" not in str(caught.value)

    run(main())


def test_a_server_that_does_not_answer(run, own_server):
    """SIGSTOP: sent, and then silence. The deadline ends it, and says that it may have been applied."""

    async def main():
        async with corbel.Runtime(log_level="off") as rt, rt.redis(own_server.url) as r:
            await r.execute("PING")
            own_server.signal(19)
            try:
                with pytest.raises(TimeoutError) as caught:
                    await r.execute("INCR", "k", timeout=0.2)
                assert isinstance(caught.value, corbel.Timeout) and caught.value.maybe_applied
            finally:
                own_server.signal(18)
            assert await r.execute("PING", timeout=math.inf) == b"PONG"

    run(main())


def test_a_connection_that_is_lost(run, own_server):
    async def main():
        async with corbel.Runtime(log_level="off") as rt, rt.redis(own_server.url) as r:
            await r.execute("PING")
            own_server.signal(19)
            waiting = asyncio.ensure_future(r.execute("INCR", "k", timeout=20))
            while not r.stats().unanswered:
                await asyncio.sleep(0.001)
            own_server.stop()
            with pytest.raises(corbel.Lost) as caught:
                await waiting
            assert caught.value.maybe_applied and isinstance(caught.value, ConnectionError)

    run(main())


def test_after_the_end(run, server):
    async def main():
        async with corbel.Runtime() as rt:
            async with rt.redis(server.url) as r:
                await r.execute("PING")
            with pytest.raises(corbel.Closed):
                await r.execute("PING")
            other = rt.redis(server.url)
        with pytest.raises(corbel.Closed):
            await other.execute("PING")
        with pytest.raises(corbel.Closed):
            rt.redis(server.url)

    run(main())
