"""Every lesson, and the bare asyncio loop, as a program of its own against private servers."""

import os
import subprocess
import sys
import threading

import pytest
from conftest import ROOT
from postgres_server import PostgresServer
from redis_server import RedisServer

sys.path.insert(0, str(ROOT / "tests" / "lessons"))
from deliveries import SECRET, deliver  # noqa: E402
from private_git import PrivateGit  # noqa: E402
from private_https import PrivateHttps  # noqa: E402

LESSONS = ROOT / "examples" / "lessons" / "python"
SHOWS = {
    "ping": ["answered: PONG"],
    "many_callers": ["1000 callers, 1000 right answers, over "],
    "pool_exhausted": ["third lease: BUSY: ", "a command meanwhile: OK", "third lease after a release: OK"],
    "subscribe": ["lesson:news in epoch 1: news 1", "lesson:news in epoch 1: news 2", "lesson:news in epoch 1: news 3"],
    "put_and_work": ["first, attempt 1: retry", "first, attempt 2: done", "second, attempt 1: done", "third, attempt 1: done"],
    "retries_and_dead": [
        "order 7, attempt 1: failed",
        "order 7, attempt 2: failed",
        "dead: order 7 after 2 attempts: ['the printer is on fire', 'the printer is on fire']",
        "put back: 1",
        "order 7, attempt 1: done",
    ],
    "delayed": ["at once: not too early: True", "at a quarter: not too early: True", "in half a second: not too early: True"],
    "one_at_a_time": ["talk 1: turn 1, turn 2, turn 3", "talk 2: turn 1, turn 2, turn 3", "conversations at once: 2"],
    "change_limits": ["b: taken", "c: hard_limit_exceeded", "d: taken", "held at once: 3"],
    "fencing": ["second: saved", "first, late: refused", "its settlement counts: False", "the bill is paid by the second"],
    "live_resize": [
        "before: max 3, 2 of 6 callers have a connection",
        "after: max 7, 6 of 6 callers have a connection",
        "shrunk: max 3, 6 of 6 callers were answered",
    ],
    "drain_on_sigterm": ["drained: 2 worked, 0 left unsettled"],
    "health_part": ["SATURATED ready: True mail: 8 of 8 letters under way", "the host down -> ok", "ready again: 1"],
    "serve_health": ["/readyz: 200 ok", "/hello?name=lesson: 200 hello lesson", "/readyz: 503 it drains"],
    "metrics": ['mails_sent_total{list="weekly"} 3', "corbel_ready 1"],
    "structured_logs": ['{"ts": "'],
}
ON_GIT = {
    "load_bundle": ["app at ", "says: hello 1"],
    "follow_branch": ["current says: hello 1", "now please push a commit", "current says: hello 2"],
    "private_repository": ["without a token: AUTH", "with the token it says: hello 1"],
    "webhook": ["current says: hello 1", "refused: ", "verified: a push to refs/heads/main", "current says: hello 2"],
    "pin_and_switch": ["running work sees: hello 1", "running work still sees: hello 1", "new work sees: hello 2"],
    "run_bundle": ["on the way: {'step': 0}", "answer: hello 1, Ada", "answer: hello 2, Ada"],
}
ON_POSTGRES = {
    "query": ["ada is 36", "bob is unknown", "REFUSED: 23505, lesson_people_pkey"],
    "transaction": ["refused: lesson_accounts_money_check", "after the rollback: 100", "after the commit: 70"],
    "copy_in": ["copied 10000 rows", "streamed 10000 rows"],
    "listen": ["lesson_news in epoch 1: news 1", "lesson_news in epoch 1: news 2", "lesson_news in epoch 1: news 3"],
}


def start(program: str, server: "RedisServer | PostgresServer", stdin: "int | None" = None) -> "subprocess.Popen[str]":
    environment = dict(os.environ, REDIS_URL=server.url, DATABASE_URL=server.url)
    process = subprocess.Popen(
        [sys.executable, "-W", "error", program],
        env=environment,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    guard = threading.Timer(30, process.kill)
    guard.daemon = True
    guard.start()
    return process


def test_every_lesson_is_run() -> None:
    assert {lesson.stem for lesson in LESSONS.glob("*.py")} == set(SHOWS) | set(ON_POSTGRES) | set(ON_GIT) | {"budget", "watch_reconnect"}


@pytest.mark.parametrize("name", SHOWS)
def test_lesson(name: str, own_server: RedisServer) -> None:
    shown(name, own_server, SHOWS[name])


@pytest.mark.parametrize("name", ON_POSTGRES)
def test_lesson_on_postgres(name: str, postgres: PostgresServer) -> None:
    shown(name, postgres, ON_POSTGRES[name])


@pytest.mark.parametrize("name", ON_GIT)
def test_lesson_on_git(name: str, server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with PrivateGit() as git, PrivateHttps(git) as https:
        for variable, value in {**git.environment(), **https.environment(), "WEBHOOK_SECRET": SECRET}.items():
            monkeypatch.setenv(variable, value)
        process = start(str(LESSONS / f"{name}.py"), server, subprocess.PIPE)
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        seen = []
        for line in process.stdout:
            seen.append(line.rstrip())
            if line.startswith("now please push"):
                git.push()
            if line.endswith("and deliver it\n"):
                deliver(process.stdin)
        assert process.wait() == 0, process.stderr.read()
        assert seen[0] == f"lesson: {name}"
        for text in ON_GIT[name]:
            assert any(text in line for line in seen), seen
        process.stdin.close()
        process.stderr.close()


def test_budget(own_server: RedisServer, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": "postgres"}.items():
        monkeypatch.setenv(name, value)
    shown("budget", own_server, ["3 instances: fits", "component", "30 instances: over"])


def shown(name: str, server: "RedisServer | PostgresServer", texts: "list[str]") -> None:
    output, problems = start(str(LESSONS / f"{name}.py"), server).communicate()
    lines = output.splitlines()
    assert lines[:1] == [f"lesson: {name}"], problems
    for text in texts:
        assert any(line.startswith(text) for line in lines), output + problems
    assert problems == ""


def test_watch_reconnect(own_server: RedisServer) -> None:
    process = start(str(LESSONS / "watch_reconnect.py"), own_server)
    assert process.stdout is not None and process.stderr is not None
    seen, stopped = [], False
    for line in process.stdout:
        seen.append(line.split(",")[0].strip())
        if "now please stop the server" in line:
            own_server.stop()
            stopped = True
        elif seen[-1] in ("down", "reconnecting") and stopped:
            own_server.start()
            stopped = False
    assert process.wait() == 0, process.stderr.read()
    assert seen[0] == "lesson: watch_reconnect" and seen[-1] == "recovered"
    # Changes are coalesced to the latest, so that it may have seen the first try and not the loss before it.
    lost = max(index for index, state in enumerate(seen) if state in ("down", "reconnecting"))
    assert "up" in seen[:lost] and {"up", "resubscribed"} & set(seen[lost:])


def test_asyncio_loop_without_the_package(own_server: RedisServer) -> None:
    output, problems = start(str(ROOT / "examples" / "loops" / "asyncio_loop.py"), own_server).communicate()
    assert output.splitlines() == ["loop: asyncio"] + [f"call {n}: counter is {n}" for n in range(1, 21)], problems
