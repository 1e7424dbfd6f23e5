"""What each subject measures, beside whom, and its floors."""
import json
import random
import signal
import subprocess
import time
from typing import Callable, Dict, List

from bundle_subject import bundle
from health_subject import health
from postgres_subject import postgres
from programs import Programs, redis_benchmark_peer, redis_py_peer, run
from queue_subject import queue
from redis_server import RedisServer, on_client_processors, on_server_processor
from rows import Measured, Peer, Row, alone, alternate, compare


def of(results: List[Measured], what: str = "ops_per_s") -> List[float]:
    return [r[what] for r in results]


def nanoseconds(results: List[Measured]) -> List[float]:
    return [1e9 / r["ops_per_s"] for r in results]


def redis(p: Programs, rounds: int) -> List[Row]:
    rows: List[Row] = []
    loop = Peer("hiredis loop", p.hiredis())
    halves = Peer("hiredis loop, window sent in halves", loop.version)
    with RedisServer() as server:
        port = server.port

        one = alternate(rounds, {
            "corbel": p.client("bench_redis_callers", port, callers=1),
            "loop": p.client("peer_hiredis_get", port, in_flight=1),
        })
        rows.append(compare("GET, 1 caller, C++ [1/s]", of(one["corbel"]), of(one["loop"]), loop, "ratio at least", 1.0))

        for callers, by_loop, by_benchmark in ((64, 0.9, 5), (256, 0.7, 15)):
            programs = {
                "corbel": p.client("bench_redis_callers", port, callers=callers),
                "loop": p.client("peer_hiredis_get", port, in_flight=callers),
                "halves": p.client("peer_hiredis_get", port, in_flight=callers, halves=1),
                "benchmark": p.redis_benchmark(server, callers),
            }
            if callers == 64:
                programs["threads"] = p.client("bench_redis_blocking", port, threads=64)
                programs["threads anywhere"] = p.local("bench_redis_blocking", port, threads=64)
                programs["benchmark anywhere"] = p.redis_benchmark(server, callers, anywhere=True)
            else:
                programs["capi"] = p.client("bench_redis_capi", port, in_flight=256)
                programs["capi anywhere"] = p.local("bench_redis_capi", port, in_flight=256)
            got = alternate(rounds, programs)
            benchmark = redis_benchmark_peer(callers)
            name = f"GET, {callers} callers on one socket, C++ [1/s]"
            rows += [
                compare(name, of(got["corbel"]), of(got["loop"]), loop, "ratio at least", by_loop),
                compare(name, of(got["corbel"]), of(got["benchmark"]), benchmark, "ratio at least", by_benchmark),
                compare(name, of(got["corbel"]), of(got["halves"]), halves),
                compare(f"client CPU per command, {callers} callers [us]", of(got["corbel"], "cpu_us_per_op"),
                        of(got["loop"], "cpu_us_per_op"), loop, "ratio at most", 1.5),
            ]
            if callers == 64:
                name = "GET, 64 blocking threads, C++, both on any processor [1/s]"
                rows.append(compare(name, of(got["threads anywhere"]), of(got["benchmark anywhere"]), benchmark,
                                    "ratio at least", 1.5))
                name = "... both on the clients' processor [1/s]"
                rows.append(compare(name, of(got["threads"]), of(got["benchmark"]), benchmark))
            else:
                name, cpp = "GET, C API, 256 in flight through the event queue [1/s]", Peer("Corbel, C++, 256 callers")
                rows.append(compare(name, of(got["capi"]), of(got["corbel"]), cpp, "ratio at least", 0.7))
                name = "... its two threads on any processor [1/s]"
                rows.append(compare(name, of(got["capi anywhere"]), of(got["corbel"]), cpp))

        python = alternate(rounds, {
            "corbel": p.python("python_asyncio.py", port, "--tasks", "64"),
            "redis-py": p.python("peers/redis_py_asyncio.py", port, "--tasks", "64"),
            "redis-py, client per task": p.python("peers/redis_py_asyncio.py", port, "--tasks", "64", "--client-per-task"),
        })
        name = "GET, 64 tasks, Python asyncio [1/s]"
        rows += [
            compare(name, of(python["corbel"]), of(python["redis-py"]), redis_py_peer("one client"), "ratio at least", 3.0),
            compare(name, of(python["corbel"]), of(python["redis-py, client per task"]), redis_py_peer("a client per task")),
        ]
    return rows


def pool(p: Programs, rounds: int) -> List[Row]:
    peer = Peer("std::mutex and std::list of pointers")
    with RedisServer() as server:
        got = alternate(rounds, {
            "try": p.local("bench_pool_lease", server.port, how="try"),
            "await": p.local("bench_pool_lease", server.port, how="await"),
            "list": p.local("peer_mutex_list_pool", server.port),
        })
    return [
        compare("lease and return, try_lease [ns]", nanoseconds(got["try"]), nanoseconds(got["list"]), peer,
                "value at most", 150.0),
        compare("lease and return, co_await async_lease [ns]", nanoseconds(got["await"]), nanoseconds(got["list"]), peer),
    ]


def subscribed(p: Programs, server: RedisServer, program: str, backlog: int) -> Callable[[], Measured]:
    """One subscriber and the publisher. With a backlog the subscriber is stopped while that many messages are published,
    and measured while it catches up; without, the publisher goes on at what the subscriber can take. The publisher shares
    the server's processor."""

    def measure() -> Measured:
        publish = [p.path("peer_publish"), "--port", str(server.port)]
        command = p.command(program, server.port, messages=backlog)
        subscriber = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=on_client_processors)
        if subscriber.stdout.readline().strip() != "ready":
            raise SystemExit(f"{program} did not subscribe")
        if backlog:
            subscriber.send_signal(signal.SIGSTOP)
            subprocess.run(publish + ["--messages", str(backlog)], check=True, preexec_fn=on_server_processor)
            subscriber.send_signal(signal.SIGCONT)
        else:
            publisher = subprocess.Popen(publish, preexec_fn=on_server_processor)
        out, _ = subscriber.communicate(timeout=60)
        if not backlog:
            publisher.kill()
            publisher.wait()
        if subscriber.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {subscriber.returncode}")
        return json.loads(out.splitlines()[-1])

    return measure


def pubsub(p: Programs, rounds: int) -> List[Row]:
    rows: List[Row] = []
    peer = Peer("hiredis loop", p.hiredis())
    for what, backlog in (("published as it takes them", 0), ("catching up with 3,000,000", 3_000_000)):
        with RedisServer() as server:
            got = alternate(rounds, {
                "corbel": subscribed(p, server, "bench_pubsub", backlog),
                "loop": subscribed(p, server, "peer_hiredis_subscribe", backlog),
            })
        rows += [
            compare(f"one subscriber, {what} [1/s]", of(got["corbel"]), of(got["loop"]), peer, "ratio at least", 0.7),
            compare(f"CPU per message, {what} [us]", of(got["corbel"], "cpu_us_per_op"), of(got["loop"], "cpu_us_per_op"),
                    peer),
        ]
    return rows


def memory(p: Programs, _: int) -> List[Row]:
    with RedisServer() as server:
        got = run(p.command("bench_memory", server.port, idle_seconds=10))
    return [
        alone("idle runtime with one pool, the whole process [KiB]", got["pool_kib"], "value at most", 6144),
        alone("... of which the program had before it opened the runtime [KiB]", got["program_kib"]),
        alone("each further pipeline [KiB]", got["pipeline_kib"], "value at most", 64),
        alone("each lease held [KiB]", got["lease_kib"]),
        alone("first subscription, with its connection [KiB]", got["first_subscription_kib"], "value at most", 64),
        alone("each further subscription [KiB]", got["subscription_kib"], "value at most", 64),
        alone("wake-ups of an idle runtime with one pool, all threads [1/s]", got["wakes_per_s"], "value at most", 1),
        alone("wake-ups with 1,001 subscriptions and a monitor [1/s]", got["wakes_watched_per_s"]),
    ]


def events(p: Programs, rounds: int) -> List[Row]:
    peer = Peer("mutex, deque, eventfd written each time")
    ways = {(batch, wait): f"{wait}, batches of {batch}" for wait in ("take", "descriptor") for batch in (1, 32)}
    programs: Dict[str, Callable[[], Measured]] = {
        name: p.local("bench_events", 0, batch=batch, wait=wait) for (batch, wait), name in ways.items()
    }
    got = alternate(rounds, {**programs, "peer": p.local("peer_mutex_deque_events", 0)})
    return [
        compare(f"event from thread to thread, {name} [ns]", nanoseconds(got[name]), nanoseconds(got["peer"]), peer)
        for name in ways.values()
    ]


def soak(p: Programs, _: int) -> List[Row]:
    """Ten minutes; the server is killed and comes back, after a moment or after seconds, every tenth part of a minute."""
    chance = random.Random(11)
    with RedisServer() as server:
        program = subprocess.Popen(p.command("bench_soak", server.port), stdout=subprocess.PIPE, text=True)
        try:
            while program.poll() is None:
                time.sleep(6)
                server.kill()
                time.sleep(chance.choice((0.05, 0.2, 0.5, 1.0, 3.0)))
                server.start()
        finally:
            program.kill()
        out = program.stdout.read()
    if not out.strip():
        raise SystemExit("bench_soak ended without a result")
    got = json.loads(out.splitlines()[-1])
    return [
        alone("memory and descriptors not flat [0 is flat]", 1 - got["flat"], "value at most", 0),
        alone("private memory at the end [KiB]", got["private_kib"]),
        alone("descriptors at the end, under way [1]", got["descriptors"]),
        alone("descriptors left after shutdown [1]", got["descriptors_left"], "value at most", 0),
    ]


SUBJECTS = {
    "redis": redis, "postgres": postgres, "queue": queue, "bundle": bundle, "pool": pool, "pubsub": pubsub, "memory": memory,
    "events": events, "health": health, "soak": soak,
}
ONLY_WHEN_NAMED = {"soak"}
