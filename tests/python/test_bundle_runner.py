"""Running bundles in both faces: events and answers, failures, cancelling, a switch, the end."""

import asyncio
import sys

import corbel
import corbel.blocking
import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests" / "lessons"))
from private_git import PrivateGit  # noqa: E402


@pytest.fixture
def git():
    with PrivateGit() as repository:
        yield repository


def test_events_and_answer(run, git):
    async def main():
        async with corbel.Runtime() as rt, rt.bundles(git.root) as loader, loader.runner() as runner:
            bundle = await loader.load("app", git.url, "main")
            turn = runner.run("app", {"name": "Ada"})
            assert [event async for event in turn] == [{"step": 0}, {"step": 1}]
            answer = await turn.result()
            assert answer == ({"says": "hello 1, Ada", "kind": "turn"}, bundle.commit)
            assert (await turn.result()) == answer
            operation = runner.run("app", {}, kind="operation")
            assert (await operation.result()).result["kind"] == "operation"
            assert [event async for event in operation] == [{"step": 0}, {"step": 1}]
            many = await asyncio.gather(*(runner.run("app", {"name": str(n)}).result() for n in range(50)))
            assert [a.result["says"] for a in many] == [f"hello 1, {n}" for n in range(50)]
            (status,) = runner.status().values()
            assert (status.answered, status.starts, status.deaths, status.error) == (52, 1, 0, None)

    run(main())


def test_what_fails(run, git):
    async def main():
        async with corbel.Runtime() as rt, rt.bundles(git.root) as loader:
            await loader.load("app", git.url, "main")
            async with loader.runner() as runner:
                with pytest.raises(corbel.Internal, match="as asked") as failed:
                    await runner.run("app", {"do": "fail"}).result()
                assert failed.value.native == "ValueError" and failed.value.retriable
                with pytest.raises(corbel.Lost, match="exit status 3"):
                    await runner.run("app", {"do": "exit"}).result()
                with pytest.raises(corbel.Invalid, match="no bundle"):
                    await runner.run("other", {}).result()
                with pytest.raises(corbel.Invalid, match="not JSON"):
                    runner.run("app", {1, 2})
                with pytest.raises(corbel.Timeout):
                    await runner.run("app", {"do": "hang"}, timeout=0.1).result()
                async with runner.run("app", {"do": "hang"}) as left:
                    pass
                with pytest.raises(asyncio.CancelledError):
                    await left.result()
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(runner.run("app", {"do": "hang"}).result(), 0.1)
                last = runner.run("app", {"do": "hang"})
            with pytest.raises(corbel.Closed):
                await last.result()
            with pytest.raises(corbel.Closed):
                runner.run("app", {})

    run(main())


def test_switch(run, git):
    async def main():
        async with corbel.Runtime() as rt, rt.bundles(git.root) as loader, loader.runner() as runner:
            await loader.load("app", git.url, "main", follow=0.05)
            said, until = [], git.push
            commit = None
            while not said or said[-1] != "hello 2, nobody":
                said.append((await runner.run("app", {}).result()).result["says"])
                commit = commit or until()
            assert sorted(said) == said
            assert runner.status()["app"].commit == commit

    run(main())


def test_blocking(git):
    with corbel.blocking.Runtime() as rt, rt.bundles(git.root) as loader:
        bundle = loader.load("app", git.url, "main")
        with loader.runner(max_waiting=5) as runner:
            run = runner.run("app", {"name": "Ada"})
            assert list(run) == [{"step": 0}, {"step": 1}]
            assert run.result() == ({"says": "hello 1, Ada", "kind": "turn"}, bundle.commit)
            late = runner.run("app", {})
            late.result()
            assert list(late) == [{"step": 0}, {"step": 1}]
            with pytest.raises(corbel.Internal, match="as asked"):
                runner.run("app", {"do": "fail"}).result()
            with pytest.raises(corbel.Timeout):
                runner.run("app", {"do": "hang"}, timeout=0.1).result()
            with runner.run("app", {"do": "hang"}) as left:
                pass
            with pytest.raises(corbel.Closed):
                left.result()
            assert runner.status()["app"].answered == 2
            hanging = runner.run("app", {"do": "hang"})
        with pytest.raises(corbel.Closed):
            hanging.result()
        with pytest.raises(corbel.Closed):
            runner.run("app", {})
