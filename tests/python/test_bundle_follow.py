"""The followed registry and webhooks, in both faces."""

import hashlib
import hmac
import json
import math
import sys
from pathlib import Path

import corbel
import corbel.blocking
import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests" / "lessons"))
from private_git import PrivateGit  # noqa: E402

KEY = "kdcube:config:bundles:mapping:home:default-project"
CHANNEL = "kdcube:config:bundles:update:home:default-project"


@pytest.fixture
def git():
    with PrivateGit() as repository:
        yield repository


def registry(git, *ids, **more):
    entries = {id: {"id": id, "repo": git.url, "ref": "main", "path": "", "git_commit": None} for id in ids}
    return json.dumps({"default_bundle_id": None, "bundles": {**entries, **more}})


def test_the_registry_in_redis(run, git, server):
    async def main():
        async with corbel.Runtime(log_level="off") as rt, rt.redis(server.url) as redis, rt.bundles(git.root) as loader:
            with pytest.raises(corbel.State):
                await loader.ready()
            await redis.execute("SET", KEY, registry(git, "app", bad={"repo": "-x"}))
            loader.follow(redis, follow=math.inf)
            with pytest.raises(corbel.State):
                loader.follow(redis)
            assert await loader.ready(30) == 0
            assert Path(loader.pin("app"), "hello.txt").read_text() == "hello 1"
            assert [fault.id for fault in loader.registry.faults] == ["bad"]
            commit = git.push()
            loader.look("app")
            async for notice in loader:
                if notice.event == "switched" and notice.commit == commit:
                    break
            with pytest.raises(corbel.Invalid):
                loader.look("bad")
            await redis.execute("SET", KEY, registry(git))
            await redis.execute("PUBLISH", CHANNEL, "{}")
            async for notice in loader:
                if notice.event == "forgotten":
                    break
            with pytest.raises(corbel.Invalid):
                loader.pin("app")

    run(main())


def test_blocking_and_a_file(git, tmp_path, monkeypatch):
    file = tmp_path / "bundles.yaml"
    file.write_text(f"items:\n- {{id: app, repo: '{git.url}'}}\n")
    monkeypatch.setenv("BUNDLES_YAML_DESCRIPTOR_PATH", str(file))
    with corbel.blocking.Runtime(log_level="off") as rt, rt.bundles(git.root) as loader:
        with pytest.raises(corbel.Invalid):
            loader.follow()
        loader.follow(environment=True, file_look=0.02)
        assert loader.ready(30) == 0
        assert loader.registry.default_id == "app"
        file.write_text(f"items:\n- {{id: other, repo: '{git.url}'}}\n")
        for notice in loader:
            if notice.event == "switched" and notice.id == "other":
                break
        loader.look("other")


def test_access_keeps_its_secret(git):
    access = corbel.BundleAccess(secret="geheim", hosts="git.example")
    assert "geheim" not in repr(access)
    with corbel.blocking.Runtime(log_level="off") as rt, rt.bundles(git.root, access=access) as loader:
        with pytest.raises(corbel.Unavailable) as failed:
            loader.load("app", "git@git.example.invalid:team/app.git", "main", timeout=20)
        assert "geheim" not in str(failed.value)
        assert loader.status()["app"].url == "git@git.example.invalid:team/app.git"  # not one of its hosts


def test_webhooks():
    body = b'{"ref": "refs/heads/main"}'
    signature = "sha256=" + hmac.new(b"geheim", body, hashlib.sha256).hexdigest()
    push = corbel.verify_webhook("geheim", {"X-Hub-Signature-256": signature, "X-GitHub-Event": "push"}, body)
    assert push == ("github", "push", "refs/heads/main", True)
    push = corbel.verify_webhook("geheim", {"x-gitlab-token": "geheim", "x-gitlab-event": "Push Hook"}, b"")
    assert push == ("gitlab", "Push Hook", None, True)
    for secret, headers in (
        ("geheim", {}),
        ("geheim", {"X-Gitlab-Token": "geheimer"}),
        ("geheim", {"X-Hub-Signature-256": signature[:-1] + "0" if signature[-1] != "0" else signature[:-1] + "1"}),
        ("", {"X-Gitlab-Token": ""}),
    ):
        with pytest.raises(corbel.Refused):
            corbel.verify_webhook(secret, headers, body)


def test_beside_the_platform(git, server):
    with corbel.blocking.Runtime(log_level="off") as rt, rt.redis(server.url) as redis:
        lock = corbel.BundleLock(redis, tenant="t", project="p", ttl=5)
        with rt.bundles(git.root, layout="platform", lock=lock) as loader:
            with loader.load("app", git.url, "main", submodules=True) as bundle:
                assert bundle.path.startswith(f"{git.root}/.corbel/")
            marker = json.loads(Path(git.root, "app__main", ".kdcube.git-bundle.json").read_text())
            assert (marker["bundle_id"], marker["git_ref"], marker["commit"]) == ("app", "main", bundle.commit)
        with pytest.raises(corbel.Invalid):
            rt.bundles(git.root, layout="other")
