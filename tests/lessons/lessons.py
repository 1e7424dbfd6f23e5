#!/usr/bin/env python3
"""Runs every lesson and every event loop of examples/ against private servers, Redis and where it is about it PostgreSQL; the C ones under valgrind too. A lesson says
its name first, does what it is about, and exits 0 by itself. The same lessons exist in C, C++ and Python.

Usage: lessons.py <build folder> [--no-valgrind] [--no-python] [name ...]"""
import os
import pathlib
import subprocess
import sys
import threading

from deliveries import SECRET, deliver
from private_git import PrivateGit
from private_https import PrivateHttps
from private_postgres import PrivatePostgres
from private_redis import PrivateRedis

root = pathlib.Path(__file__).resolve().parents[2]
LIMIT = 60  # seconds for one lesson, also under valgrind
# They start a program, whose end is waited for by pidfd_open, which Debian's valgrind does not know.
NOT_UNDER_VALGRIND = {"c/load_bundle", "c/follow_branch", "c/pin_and_switch", "c/run_bundle", "c/private_repository", "c/webhook"}
VALGRIND = ["valgrind", "-q", "--leak-check=full", "--error-exitcode=9"]
# What a C or C++ lesson prints when it has taught its lesson.
SHOWS = {
    "ping": "answered: PONG",
    "many_callers": "1000 callers, 1000 right answers",
    "pool_exhausted": "third lease after a release: OK",
    "watch_reconnect": "recovered",
    "subscribe": "news 3",
    "put_and_work": "first, attempt 2: done",
    "retries_and_dead": "order 7, attempt 1: done",
    "delayed": "in half a second: not too early",
    "one_at_a_time": "conversations at once: 2",
    "drain_on_sigterm": "0 left unsettled",
    "fencing": "the first worker, late: refused",
    "change_limits": "held at once: 3",
    "query": "REFUSED: 23505, lesson_people_pkey",
    "transaction": "after the commit: 70",
    "copy_in": "streamed 10000 rows",
    "listen": "news 3",
    "budget": "30 instances: over",
    "load_bundle": "says: hello 1",
    "follow_branch": "current says: hello 2",
    "pin_and_switch": "new work sees: hello 2",
    "run_bundle": "hello 2, Ada",
    "private_repository": "with the token it says: hello 1",
    "webhook": "current says: hello 2",
    "health_part": "ready again: 1",
    "serve_health": "/readyz: 503 it drains",
    "metrics": 'mails_sent_total{list="weekly"} 3',
    "structured_logs": "shown now",
    "live_resize": "after: max 7, 6 of 6 callers have a connection",
}
BUNDLES = {"load_bundle", "follow_branch", "pin_and_switch", "run_bundle", "webhook"}
POSTGRES = {"query", "transaction", "copy_in", "listen", "budget"}


def lose_and_return(process, redis, printed):
    """For watch_reconnect: kills the server once the lesson says up, starts it again once it says that it is gone."""
    stage = 0
    for line in process.stdout:
        printed.append(line)
        if stage == 0 and line.startswith(("up", "resubscribed")):
            redis.kill()
            stage = 1
        elif stage == 1 and line.startswith(("down", "reconnecting")):
            redis.start()
            stage = 2


def push_when_asked(process, repository, printed):
    """For the lessons about bundles."""
    for line in process.stdout:
        printed.append(line)
        if line.startswith("now please push"):
            repository.push()
        if line.endswith("and deliver it\n"):
            deliver(process.stdin)


def run(argv, first_line, shows):
    """Why it failed, or None."""
    with PrivateRedis() as redis, PrivateGit() as repository, PrivateHttps(repository) as https:
        environment = dict(os.environ, REDIS_URL=redis.url, WEBHOOK_SECRET=SECRET, **repository.environment(), **https.environment())
        process = subprocess.Popen(argv, env=environment, text=True, bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        timer = threading.Timer(LIMIT, process.kill)
        timer.start()
        printed = []
        if "watch_reconnect" in first_line:
            lose_and_return(process, redis, printed)
        elif first_line.split()[-1] in BUNDLES:
            push_when_asked(process, repository, printed)
        else:
            printed += process.stdout
        status = process.wait()
        timer.cancel()
    text = "".join(printed)
    if status != 0:
        return f"exit status {status}\n{text}"
    if not text.startswith(first_line + "\n"):
        return f"its first line is not '{first_line}'\n{text}"
    if shows not in text:
        return f"it never printed '{shows}'\n{text}"
    return None


def names(folder, suffix):
    return {p.stem for p in (root / "examples" / folder).glob(f"*{suffix}") if not p.stem.startswith("_")}


build = pathlib.Path(sys.argv[1]).resolve()
options = sys.argv[2:]
wanted = [o for o in options if not o.startswith("-")]
lessons = build / "examples/lessons"
loops = build / "examples/loops"
library = dict(CORBEL_LIBRARY=str(build / "libcorbel.so.0"), PYTHONPATH=str(root / "bindings/python"))
os.environ.update(library)
items = []
for name in sorted(SHOWS):
    items.append((f"c/{name}", [str(lessons / f"lesson_c_{name}")], f"lesson: {name}", SHOWS[name]))
    items.append((f"cpp/{name}", [str(lessons / f"lesson_cpp_{name}")], f"lesson: {name}", SHOWS[name]))
    if "--no-python" not in options:
        items.append((f"python/{name}", [sys.executable, str(root / f"examples/lessons/python/{name}.py")], f"lesson: {name}", ""))
for name in ("epoll", "libuv"):
    items.append((f"c/loop_{name}", [str(loops / f"loop_{name}")], f"loop: {name}", "call 20: counter is 20"))
if "--no-valgrind" not in options:
    items += [(f"valgrind {name}", [*VALGRIND, *argv], first, shows) for name, argv, first, shows in items
              if name.startswith("c/") and name not in NOT_UNDER_VALGRIND]

passed = failed = 0
database = PrivatePostgres() if not wanted or any(w in n for w in wanted for n in POSTGRES) else None
if database:
    os.environ.update(DATABASE_URL=database.url, PGHOST="127.0.0.1", PGPORT=str(database.port), PGUSER="postgres")
for language, suffix in (("c", ".c"), ("cpp", ".cpp"), ("python", ".py")):
    if names(f"lessons/{language}", suffix) != set(SHOWS):
        print(f"FAILED the lessons in {language} are {sorted(names(f'lessons/{language}', suffix))}, expected {sorted(SHOWS)}")
        failed += 1
try:
    for name, argv, first_line, shows in items:
        if wanted and not any(w in name for w in wanted):
            continue
        why = run(argv, first_line, shows)
        print(f"FAILED {name}: {why}" if why else f"ok {name}", flush=True)
        passed, failed = (passed, failed + 1) if why else (passed + 1, failed)
finally:
    if database:
        database.__exit__()
print(f"cases: {passed} passed, {failed} failed")
sys.exit(failed > 0 or passed == 0)
