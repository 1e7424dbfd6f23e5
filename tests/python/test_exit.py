"""Interpreter exit with everything still open, and loops that end first."""

import asyncio
import gc
import signal
import subprocess
import sys
import textwrap
import warnings

import corbel
import corbel.blocking
import pytest

PENDING = {
    "asyncio run ends with calls pending": """
        async def main():
            rt = corbel.Runtime(log_level="off")
            r = rt.redis(url)
            await r.execute("PING")
            stop()
            tasks = [asyncio.ensure_future(r.execute("GET", "k", timeout=60)) for _ in range(100)]
            await asyncio.sleep(0.01)
            globals().update(locals())
        asyncio.run(main())
    """,
    "the loop stays open, everything is a global": """
        loop = asyncio.new_event_loop()
        async def main():
            global rt, r, task, sub, monitor, consumer
            rt = corbel.Runtime()
            r = rt.redis(url)
            sub, monitor, consumer = r.subscribe("c"), r.monitor(), r.consumer("q")
            await r.execute("PING")
            stop()
            task = loop.create_task(r.execute("GET", "k", timeout=60))
            await asyncio.sleep(0.01)
        loop.run_until_complete(main())
    """,
    "blocking threads wait": """
        rt = corbel.blocking.Runtime()
        r = rt.redis(url)
        r.execute("PING")
        monitor = r.monitor()
        monitor.listen(print_nothing)
        sub = r.subscribe("c")
        threading.Thread(target=list, args=[sub], daemon=True).start()
        stop()
        for _ in range(10):
            threading.Thread(target=r.execute, args=["GET", "k"], kwargs={"timeout": 60}, daemon=True).start()
        while r.stats().unanswered < 10: pass
    """,
    "sys.exit within the contexts": """
        with corbel.blocking.Runtime() as rt, rt.redis(url) as r, r.lease() as k:
            r.execute("PING")
            sys.exit(0)
    """,
}


@pytest.mark.parametrize("case", PENDING)
def test_exit_with_calls_pending(case, own_server):
    head = """
        import asyncio, os, signal, sys, threading
        import corbel, corbel.blocking
        url, server = sys.argv[1], int(sys.argv[2])
        def stop(): os.kill(server, signal.SIGSTOP)
        def print_nothing(change): pass
    """
    program = textwrap.dedent(head) + textwrap.dedent(PENDING[case]) + "\nprint('end')\n" * ("sys.exit" not in case)
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", program, own_server.url, str(own_server._process.pid)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=20,
    )
    own_server.signal(signal.SIGCONT)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("" if "sys.exit" in case else "end\n")
    assert "Fatal" not in done.stderr and "Segmentation" not in done.stderr


def test_closing_the_loop_with_calls_pending(own_server):
    """The loop goes first; whatever is closed or collected later is quiet."""
    loop = asyncio.new_event_loop()

    async def main():
        rt = corbel.Runtime(log_level="off")
        r = rt.redis(own_server.url)
        await r.execute("PING")
        own_server.signal(signal.SIGSTOP)
        pending = [asyncio.ensure_future(r.execute("GET", "k", timeout=60)) for _ in range(10)]
        await asyncio.sleep(0.01)
        return rt, r, pending

    rt, r, pending = loop.run_until_complete(main())
    loop.close()
    own_server.signal(signal.SIGCONT)

    async def afterwards():
        with pytest.raises(corbel.State, match="loop"):
            await r.execute("PING")
        await rt.shutdown(5)
        await rt.shutdown(5)

    asyncio.run(afterwards())
    for task in pending:
        assert not task.done()
        task._log_destroy_pending = False


def test_a_runtime_that_is_dropped_says_so(server):
    async def main():
        rt = corbel.Runtime()
        await rt.redis(server.url).execute("PING")

    with pytest.warns(ResourceWarning, match="shutdown"):
        asyncio.run(main())
        gc.collect()
    with pytest.warns(ResourceWarning, match="shutdown"):
        corbel.blocking.Runtime().redis(server.url).execute("PING")
        gc.collect()


def test_a_runtime_that_is_shut_down_says_nothing(server):
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        async def main():
            async with corbel.Runtime() as rt, rt.redis(server.url) as r:
                await r.execute("PING")

        asyncio.run(main())
        with corbel.blocking.Runtime() as rt:
            rt.redis(server.url).execute("PING")
        gc.collect()
