"""Puts in both faces: idempotency keys, and what admission refuses."""

import corbel
import corbel.blocking
import pytest

SMALL = corbel.Admission(capacity=10, hard=0.3)


def test_a_key_is_put_once(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r, r.producer(key) as producer:
            first = await producer.put("x", idempotency_key="order 7")
            again = await producer.put("x", idempotency_key="order 7")
            assert not first.repeated and again.repeated and again.id == first.id and again.depth == 1
            both = await producer.put_many([corbel.Item("y"), corbel.Item("x", idempotency_key="order 7")])
            assert both.repeated == (1,) and both.ids[1] == first.id and both.depth == 2

    run(main())


def test_a_refused_put_tells_why(run, server, key):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r, r.producer(key, admission=SMALL) as producer:
            await producer.put_many(["x"] * 3)
            with pytest.raises(corbel.Busy) as caught:
                await producer.put("too many")
            busy = caught.value
            assert (busy.reason, busy.depth, busy.capacity, busy.retry_after) == ("hard_limit_exceeded", 3, 10, 60)
            assert busy.processes is not None and not busy.maybe_applied
            assert await producer.depth() == 3

    run(main())


def test_the_same_in_the_blocking_face(server, key):
    with corbel.blocking.Runtime() as rt, rt.redis(server.url) as r, r.producer(key, admission=SMALL) as producer:
        receipt = producer.put_many([corbel.Item("x", idempotency_key="k"), "y", "z"])
        assert receipt.depth == 3 and len(receipt.ids) == 3
        again = producer.put("x", idempotency_key="k")
        assert again.repeated == (0,) and again.id == receipt.ids[0]
        with pytest.raises(corbel.Busy) as caught:
            producer.put("too many")
        assert (caught.value.reason, caught.value.depth) == ("hard_limit_exceeded", 3)


def test_another_busy_has_no_reason(server):
    with corbel.blocking.Runtime() as rt, rt.redis(server.url, max_size=2) as r, r.lease():
        with pytest.raises(corbel.Busy) as caught:
            r.lease(timeout=0.02)
        assert (caught.value.reason, caught.value.depth, caught.value.retry_after) == ("", None, None)
