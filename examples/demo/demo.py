#!/usr/bin/env python3
"""Thousands of real requests through two hosts and a queue, worked by a bundle out of a git repository, with Redis killed in
the middle, the pools resized, and another version of the bundle pushed; nothing is lost, and PostgreSQL knows of each request
what became of it.

    python3 examples/demo/demo.py --bin build/dev           tells the story, stops everything; exit status 1 on a loss
    python3 examples/demo/demo.py --bin build/dev --stay    starts the servers, leaves them running, says their addresses
"""
import argparse
import asyncio
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request

sys.dont_write_bytecode = True

import story  # noqa: E402
import texts  # noqa: E402
from database import TABLE  # noqa: E402
from probe import Probe  # noqa: E402
from servers import CannotStart, Servers, document, wait_until  # noqa: E402
from traffic import Account, Session  # noqa: E402

QUEUE = "corbel:queue"
CHANNEL = "kdcube.relay.chatbot.demo:corbel:chat.events."
GATEWAY = "demo:corbel:kdcube:config:gateway:"
AWAY = 1.5  # seconds that Redis stays dead


def healthy(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def start(servers, say):
    servers.redis.start()
    servers.database.start()
    wait_until(lambda: servers.database.value("SELECT 1") == "1" or servers.database.server.ended(), 30,
               lambda: f"PostgreSQL does not answer:\n{servers.database.server.last_words()}")
    for host, port in ((servers.ingress, servers.ingress_port), (servers.proc, servers.proc_port)):
        host.start()
        wait_until(lambda: healthy(port) or host.ended(), 20, lambda: f"{host.name} does not answer:\n{host.last_words()}")
        if host.ended():
            raise CannotStart(f"{host.name} ended:\n{host.last_words()}")
    say(f"started redis-server on port {servers.redis_port} with an append-only file (pid {servers.redis.pid}),")
    say(f"        PostgreSQL on port {servers.database.port} (pid {servers.database.server.pid}),")
    say(f"        corbel-ingress on port {servers.ingress_port} (pid {servers.ingress.pid}), "
        f"corbel-proc on port {servers.proc_port} (pid {servers.proc.pid}),")
    say(f"        which works each message by the bundle 'words' of {servers.bundle.repository}, a handler in Python")


def budget(servers, say):
    """What the gateway document plans, beside what the servers allow: a host's --check."""
    say("the budget of two instances of ingress, as corbel-ingress --check --instances 2 tells it:")
    checked = subprocess.run([servers.ingress.arguments[0], "--check", "--instances", "2"], text=True, stdout=subprocess.PIPE,
                             env=dict(os.environ, **servers.ingress.environment))
    for line in checked.stdout.splitlines():
        print(f"            {line}")
    return checked.returncode == 0


async def resize(servers, probe, account, at, say):
    """Waits until so many were answered, changes the gateway document, and waits until both hosts have resized their pools."""
    while len(account.answered) < at:
        await asyncio.sleep(0.005)
    new = document(redis=24, postgres=8)
    began = time.monotonic()
    await probe.command("SET", GATEWAY + "current", new)
    await probe.command("PUBLISH", GATEWAY + "update", json.dumps({"tenant": "demo", "project": "corbel", "ts": time.time(),
                                                                  "actor": "demo", "config": json.loads(new)}))
    line = "pools.pg_pool_max_size: 4 -> 8"
    while not all(line in pathlib.Path(h.log).read_text(errors="replace") for h in (servers.ingress, servers.proc)):
        if time.monotonic() > began + 20:
            account.errors.append("the hosts did not follow the changed gateway document within 20 s")
            return
        await asyncio.sleep(0.01)
    say("changed the gateway document in Redis: both hosts' pools now take 24 connections to Redis, not 16,")
    say(f"        and 8 to PostgreSQL, not 4, {1000 * (time.monotonic() - began):.0f} ms later and without a restart")


async def push(servers, probe, account, at, say):
    """Waits until so many were answered, pushes a change of the bundle, and waits for its first answer."""
    while len(account.answered) < at:
        await asyncio.sleep(0.005)
    old, new = servers.bundle.commit, await asyncio.get_running_loop().run_in_executor(None, servers.bundle.change)
    began = time.monotonic()
    say(f"pushed commit {new[:8]} of the bundle 'words', with {len(account.expected)} requests under way")
    await probe.command("PUBLISH", "kdcube:config:bundles:update:demo:corbel", json.dumps({"bundles": {"words": {}}}))
    while new not in account.commits:
        if time.monotonic() > began + 20:
            account.errors.append("the pushed commit did not answer within 20 s")
            return
        await asyncio.sleep(0.005)
    say(f"its handler gave its first answer {1000 * (account.commits[new][0] - began):.0f} ms later; "
        f"the one of {old[:8]} ended what it had, and stopped")


async def sample_depth(probe, tale, samples):
    while True:
        try:
            samples.append((tale.seconds(), await probe.command("LLEN", QUEUE)))
        except ConnectionError:
            samples.append((tale.seconds(), None))
        await asyncio.sleep(0.04)


async def kill_redis(servers, probe, account, at, channels, say):
    """Waits until so many were answered, kills Redis, starts it again; seconds from server-up to all-subscribed."""
    while len(account.answered) < at:
        await asyncio.sleep(0.005)
    servers.redis.kill()
    say(f"killed redis-server with SIGKILL, {account.sent} sent and {len(account.answered)} answered by then")
    await asyncio.sleep(AWAY)
    servers.redis.start()
    up = await probe.wait_for(("PING",), lambda answer: answer == "PONG")
    subscribed = await probe.wait_for(("PUBSUB", "NUMSUB", *channels), lambda answer: all(answer[1::2]))
    say(f"started it again after {AWAY} s; {1000 * (subscribed - up):.0f} ms after its first PONG "
        f"all {len(channels)} sessions were subscribed again")
    return subscribed - up


async def traffic(servers, tale, options):
    account, samples = Account(), []
    pieces = texts.paragraphs()
    sessions = [Session(n, servers.ingress_port, account, options.window) for n in range(options.sessions)]
    tasks = [asyncio.ensure_future(s.listen()) for s in sessions]
    probe, depth, writer, pusher = (Probe(servers.redis_port) for _ in range(4))
    try:
        await asyncio.wait_for(asyncio.gather(*(s.ready.wait() for s in sessions)), 20)
        tale.say(f"opened {len(sessions)} event streams, one for each session")
        tale.say(f"sending {options.requests} requests: {len(pieces)} paragraphs of {len(texts.files())} files of this project, "
                 "again and again")
        tasks.append(asyncio.ensure_future(sample_depth(depth, tale, samples)))
        channels = [CHANNEL + s.name for s in sessions]
        killer = asyncio.ensure_future(kill_redis(servers, probe, account, options.requests // 2, channels, tale.say))
        resizer = asyncio.ensure_future(resize(servers, writer, account, options.requests // 4, tale.say))
        switcher = asyncio.ensure_future(push(servers, pusher, account, options.requests * 3 // 4, tale.say))
        began = tale.seconds()

        async def send_from(session, first):
            for n in range(first, options.requests, len(sessions)):
                await session.send(f"e{n}", pieces[n % len(pieces)])

        await asyncio.gather(*(send_from(s, n) for n, s in enumerate(sessions)))
        tale.say(f"sent the last request; waiting for {account.lost} answers")
        end = tale.seconds() + 30
        while account.lost and tale.seconds() < end:
            await asyncio.sleep(0.01)
        took = tale.seconds() - began
        resubscribed = await killer
        await resizer
        await switcher
        await asyncio.sleep(0.2)  # a copy that comes late is counted as well
        end = tale.seconds() + 40  # a claim whose answer was lost with the connection comes back after its lease
        while True:
            left = [await probe.command(*ask) for ask in (("LLEN", QUEUE), ("GET", QUEUE + ":inflight"))]
            if not any(left) or tale.seconds() > end:
                break
            await asyncio.sleep(0.05)
    finally:
        for t in tasks:
            t.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for closable in (*sessions, probe, depth, writer, pusher):
            closable.close()
    account.errors += [f"a stream ended: {e!r}" for e in ended if isinstance(e, Exception)]
    return account, samples, took, resubscribed, left


def report(account, samples, took, resubscribed, left):
    ms = [1000 * v for v in account.latencies]
    print()
    print(f"  sent        {account.sent}   ({account.retries} answers 503 on the way, {account.maybe_applied} of them "
          "'maybe applied'; sent again with the same id)")
    print(f"  answered    {len(account.answered)}   in {took:.1f} s: {len(account.answered) / took:.0f} a second")
    print(f"  lost        {account.lost}")
    print(f"  duplicates  {account.duplicates}")
    print(f"  wrong       {account.wrong}   (word counts that differ from ours)")
    print("  bundle      " + ", then ".join(f"{count} answers by commit {commit[:8]}"
                                            for commit, (_, _, count) in account.commits.items()))
    print(f"  latency     p50 {story.percentile(ms, .5):.0f} ms, p99 {story.percentile(ms, .99):.0f} ms, "
          f"max {max(ms, default=0):.0f} ms   (with the outage in it)")
    print(f"  recovery    {1000 * resubscribed:.0f} ms from server-up to all-subscribed")
    print(f"  queue       {left[0]} ready and {left[1] or 0} in flight at the end; its depth over time (x: Redis away):")
    print()
    print("\n".join(story.chart(samples)))
    print()
    for line in account.errors[:5]:
        print(f"  error       {line}")
    return len(account.commits) == 2 and not (account.lost or account.duplicates or account.wrong or account.errors or any(left))


async def run(servers, options):
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    tale = story.Story()
    start(servers, tale.say)
    if options.stay:
        return True
    fits = budget(servers, tale.say)
    outcome = await traffic(servers, tale, options)
    good = report(*outcome) and fits
    recorded = await recorded_outcomes(servers.database, options.requests)
    print(f"  recorded    {recorded} requests with their outcome in {TABLE}")
    good = good and recorded == options.requests
    statuses = servers.stop()
    drained = statuses["ingress"] == 0 and statuses["proc"] == 0
    tale.say(f"SIGTERM: ingress drained and exited {statuses['ingress']}, proc {statuses['proc']}; the servers stopped")
    tale.say("nothing was lost" if good and drained else "SOMETHING WENT WRONG, see above")
    return good and drained


async def recorded_outcomes(database, expected):
    """How many requests have completed according to the table, which is written a little behind."""
    end, recorded = time.monotonic() + 20, 0
    while recorded != expected and time.monotonic() < end:
        recorded = int(database.value(f"SELECT count(DISTINCT event_id) FROM {TABLE} WHERE state = 'completed'") or 0)
        await asyncio.sleep(0.1)
    return recorded


def how_to_use(servers):
    ingress, pids = f"127.0.0.1:{servers.ingress_port}", " ".join(str(s.pid) for s in servers.all())
    print(f"""
  ingress   http://{ingress}    proc http://127.0.0.1:{servers.proc_port}    redis://127.0.0.1:{servers.redis_port}
  database  psql postgresql://postgres@127.0.0.1:{servers.database.port}/postgres -c 'SELECT * FROM {TABLE}'
  logs      {servers.directory}

  listen    curl -N '{ingress}/sse/stream?stream_id=me&user_session_id=s1'
  send      curl {ingress}/api/chat/messages -d '{{"session_id": "s1", "text": "to be or not to be"}}'
  health    curl -i {ingress}/health
  stop      kill {pids}; rm -r {servers.directory}
""")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/dev"), help="the build folder")
    parser.add_argument("--stay", "--up", action="store_true", help="leave the servers running")
    parser.add_argument("--sessions", type=int, default=40)
    parser.add_argument("--requests", type=int, default=6000)
    parser.add_argument("--window", type=int, default=4, help="messages of one session on their way at once")
    options = parser.parse_args()
    servers, good = None, False
    try:
        servers = Servers(options.bin)
        good = asyncio.run(run(servers, options))
    except CannotStart as e:
        print(f"demo: {e}", file=sys.stderr)
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("\n  interrupted; stopping the servers", file=sys.stderr)
    finally:
        if servers is not None and not (good and options.stay):
            servers.stop(3)
            servers.clean()
    if good and options.stay:
        how_to_use(servers)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
