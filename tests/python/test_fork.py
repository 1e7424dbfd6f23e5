"""After a fork the child gets Forked from what its parent opened, may drop it, and opens a runtime of its own."""

import asyncio
import os
import sys
import textwrap

import corbel
import pytest
from conftest import until
from corbel.blocking import Runtime


def in_child(function) -> None:
    """Runs a function in a forked child, which must end well within 20 s."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            function()
            status = 0
        except BaseException as problem:
            sys.stderr.write(f"in the child: {problem!r}\n")
        finally:
            os._exit(status)
    ended = []

    def has_ended() -> bool:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            ended.append(status)
        return bool(ended)

    try:
        until(has_ended, "the child ended", 20)
    except AssertionError:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        raise
    assert ended == [0]


def test_blocking_face(server):
    with Runtime() as rt, rt.redis(server.url) as r, r.subscribe("news") as sub, r.monitor() as monitor, r.lease() as k:
        assert r.execute("PING") == b"PONG"
        monitor.listen(lambda change: None)

        def child():
            for call in (
                lambda: r.execute("PING"),
                lambda: k.execute("PING"),
                lambda: r.lease(),
                lambda: sub.add("more"),
                lambda: sub.get(1),
                lambda: r.producer("q"),
                lambda: rt.redis(server.url),
                lambda: rt.shutdown(),
            ):
                with pytest.raises(corbel.Forked):
                    call()
            k.release()
            sub.close()
            monitor.close()
            with Runtime() as own, own.redis(server.url) as pool:
                assert pool.execute("PING") == b"PONG"

        in_child(child)
        assert r.execute("PING") == k.execute("PING") == b"PONG"
        r.execute("PUBLISH", "news", "still here")
        assert sub.get(5).payload == b"still here"


def test_leaving_the_contexts_in_the_child(server):
    """A child that unwinds through its parent's `with` blocks ends with its own exception."""

    class Mine(Exception):
        pass

    parent = os.getpid()

    def child():
        assert os.getpid() != parent
        raise Mine

    def everything():
        with Runtime() as rt, rt.redis(server.url) as r, r.lease():
            r.execute("PING")
            pid = os.fork()
            if pid == 0:
                raise Mine
            os.waitpid(pid, 0)
            assert r.execute("PING") == b"PONG"

    try:
        everything()
    except Mine:
        os._exit(0 if os.getpid() != parent else 1)


def test_asyncio_face(run, server):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r, r.subscribe("news") as sub:
            assert await r.execute("PING") == b"PONG"

            async def in_own_loop():
                with pytest.raises(corbel.Forked):
                    await r.execute("PING")
                with pytest.raises(corbel.Forked):
                    await rt.shutdown()
                async with corbel.Runtime() as own, own.redis(server.url) as pool:
                    assert await pool.execute("PING") == b"PONG"

            def child():
                asyncio.events._set_running_loop(None)  # as multiprocessing's children have it
                asyncio.run(in_own_loop())

            in_child(child)
            # The child has not taken the parent's descriptor out of the parent's loop.
            assert await r.execute("PING") == b"PONG"
            await r.execute("PUBLISH", "news", "still here")
            assert (await sub.get(5)).payload == b"still here"

    run(main())


def test_leaving_the_contexts_in_the_child_of_a_loop(run, server):
    """A child that goes on in the parent's loop, and unwinds, takes nothing out of the epoll that it shares with it."""

    class Mine(Exception):
        pass

    async def unwind_in_child():
        async with corbel.Runtime() as rt, rt.redis(server.url) as r, r.subscribe("news") as sub:
            await r.execute("PING")
            pid = os.fork()
            if pid == 0:
                with pytest.raises(corbel.Forked):
                    await r.execute("PING")
                raise Mine
            _, status = os.waitpid(pid, 0)
            assert status == 0
            await r.execute("PUBLISH", "news", "still here")
            assert (await sub.get(5)).payload == b"still here"
            assert await r.execute("PING") == b"PONG"

    async def main():
        parent = os.getpid()
        try:
            await unwind_in_child()
        except BaseException as problem:
            if os.getpid() == parent:
                raise
            sys.stderr.write(f"in the child: {problem!r}\n")
            os._exit(not isinstance(problem, Mine))

    run(main())


def test_multiprocessing(server):
    import subprocess

    program = textwrap.dedent(
        """
        import multiprocessing, sys, corbel.blocking
        runtime = corbel.blocking.Runtime()
        pool = runtime.redis(sys.argv[1])

        def work(number):
            with corbel.blocking.Runtime() as rt, rt.redis(sys.argv[1]) as r:
                try:
                    pool.execute("PING")
                except corbel.Forked:
                    return r.execute("ECHO", number)

        if __name__ == "__main__":
            pool.execute("PING")
            with multiprocessing.get_context("fork").Pool(4) as workers:
                print(workers.map(work, range(8)))
            runtime.shutdown()
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program, server.url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30
    )
    assert done.stdout == str([b"%d" % number for number in range(8)]) + "\n", done.stderr
    assert done.returncode == 0
