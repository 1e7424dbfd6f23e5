"""Bundles in both faces: load, follow, pin, forget, what is refused; and the registry's document."""

import sys
from pathlib import Path

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


def test_load_pin_and_switch(run, git):
    async def main():
        async with corbel.Runtime() as rt, rt.bundles(git.root) as loader:
            old = await loader.load("app", git.url, "main")
            assert (old.id, len(old.commit), Path(old, "hello.txt").read_text()) == ("app", 40, "hello 1")
            commit = git.push()
            with await loader.load("app", git.url, "main") as fresh:
                assert fresh.commit == commit and Path(fresh.path, "hello.txt").read_text() == "hello 2"
            assert not fresh.pinned
            with pytest.raises(corbel.Closed):
                Path(fresh)
            assert Path(old, "hello.txt").read_text() == "hello 1"
            with loader.pin("app") as now:
                assert now.commit == commit and repr(now).startswith("<Bundle app at ")
            (status,) = loader.status().values()
            assert (status.state, status.commit, status.failures, status.progress) == ("ready", commit, 0, None)
            notices = [await loader.get(5) for _ in range(4)]
            assert [n.event for n in notices] == ["fetched", "switched", "fetched", "switched"]
            assert notices[-1].previous == old.commit and not notices[-1].dropped
            assert await loader.prune() == 0
            await loader.forget("app")
            with pytest.raises(corbel.Invalid):
                loader.pin("app")
        assert Path(old, "hello.txt").read_text() == "hello 1"
        old.close()

    run(main())


def test_following(run, git):
    async def main():
        async with corbel.Runtime() as rt, rt.bundles(git.root) as loader:
            first = await loader.load("app", git.url, "main", follow=0.05)
            commit = git.push()
            async for notice in loader:
                if notice.event == "switched" and notice.commit == commit:
                    break
            assert loader.pin("app").commit == commit != first.commit

    run(main())


def test_what_fails(run, git):
    async def main():
        async with corbel.Runtime(log_level="error") as rt, rt.bundles(git.root, retry=(60, 60)) as loader:
            with pytest.raises(corbel.Refused) as refused:
                await loader.load("app", git.url, "nothing")
            assert refused.value.native == "NO_REF" and refused.value.retriable
            with pytest.raises(corbel.Unavailable):
                loader.pin("app")
            assert loader.status()["app"].state == "absent"
            with pytest.raises(corbel.Invalid):
                await loader.load("app", "--upload-pack=x")
            with pytest.raises(corbel.Timeout):
                await loader.load("app", git.url, "main", timeout=0.001)
        assert {notice.event async for notice in loader} == {"failed"}  # what was not read, then the end
        with pytest.raises(corbel.Closed):
            await loader.get()

    run(main())


def test_blocking(git):
    with corbel.blocking.Runtime() as rt, rt.bundles(git.root) as loader:
        with loader.load("app", git.url, "main", follow=0.05) as bundle:
            assert Path(bundle, "hello.txt").read_text() == "hello 1"
            commit = git.push()
            for notice in loader:
                if notice.event == "switched" and notice.commit == commit:
                    break
            with loader.pin("app") as now:
                assert now.commit == commit
        assert loader.prune() == 0
        loader.forget("app")
        assert loader.status() == {}
    with pytest.raises(corbel.Closed):
        loader.load("app", git.url)


def test_a_document():
    registry = corbel.read_registry("items:\n- {id: a, repo: https://h.example/a.git, ref: v1, config: {x: 1}}\n- {id: b, repo: -x}\n")
    assert registry.default_id == "a" and registry.version is None
    (entry,) = registry.entries
    assert (entry.repo, entry.ref, entry.subdir, entry.config) == ("https://h.example/a.git", "v1", None, {"x": 1})
    (fault,) = registry.faults
    assert (fault.id, fault.path) == ("b", "items[1].repo")
    assert corbel.read_registry(b"{").faults
