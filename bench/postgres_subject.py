"""The subject postgres: prepared statements over loopback, beside libpq, pgbench and asyncpg."""
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Callable, Dict, List

from postgres_server import PROGRAMS, ROWS, PostgresServer
from programs import PYTHON, ROOT, Programs, run
from redis_server import on_client_processors
from rows import Measured, Peer, Row, alone, alternate, compare

SCRIPTS = {"one": "SELECT 1;\n",
           "lookup": f"\\set id random(0, {ROWS - 1})\nSELECT name FROM bench WHERE id = :id;\n"}
SHOWN = {"one": "SELECT 1", "lookup": "one row by primary key"}


def version_of(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def pgbench(p: Programs, server: PostgresServer, statement: str) -> Callable[[], Measured]:
    """pgbench -M prepared -c 8 -j 1, a statement per transaction."""

    def measure() -> Measured:
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            script.write(SCRIPTS[statement])
            script.flush()
            command = [str(PROGRAMS / "pgbench"), "-n", "-M", "prepared", "-c", "8", "-j", "1", "-f", script.name]
            command += ["-T", str(max(1, round(p.seconds))), "-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres"]
            done = subprocess.run([*command, "postgres"], capture_output=True, text=True, check=True,
                                  preexec_fn=on_client_processors)
        return {"ops_per_s": float(re.search(r"tps = ([0-9.]+)", done.stdout).group(1))}

    return measure


def of(results: List[Measured], what: str = "ops_per_s") -> List[float]:
    return [r[what] for r in results]


def in_cpp(p: Programs, server: PostgresServer, rounds: int, statement: str, loop: Peer, bench: Peer) -> List[Row]:
    over = dict(connections=8, statement=statement)
    port = server.port
    programs: Dict[str, Callable[[], Measured]] = {
        "corbel": p.client("bench_pg_callers", port, callers=64, **over),
        "read only": p.client("bench_pg_callers", port, callers=64, read_only=1, **over),
        "loop": p.client("peer_libpq_loop", port, in_flight=64, **over),
        "pgbench": pgbench(p, server, statement),
        "one": p.client("bench_pg_callers", port, callers=1, statement=statement),
        "one loop": p.client("peer_libpq_loop", port, plain=1, statement=statement),
    }
    got = alternate(rounds, programs)
    name = f"{SHOWN[statement]}, 64 callers over 8 connections, C++ [1/s]"
    plain = Peer("libpq loop, PQexecPrepared", loop.version)
    return [
        compare(name, of(got["corbel"]), of(got["loop"]), loop, "ratio at least", 0.85),
        compare(name, of(got["corbel"]), of(got["pgbench"]), bench),
        compare("... marked read only [1/s]", of(got["read only"]), of(got["pgbench"]), bench, "ratio at least", 3.0),
        compare("client CPU per statement, 64 callers [us]", of(got["corbel"], "cpu_us_per_op"),
                of(got["loop"], "cpu_us_per_op"), loop),
        compare(f"{SHOWN[statement]}, 1 caller, C++ [1/s]", of(got["one"]), of(got["one loop"]), plain, "ratio at least", 0.95),
    ]


def in_python(p: Programs, server: PostgresServer, rounds: int, statement: str) -> List[Row]:
    peer = version_of(PYTHON, str(ROOT / "bench/peers/asyncpg_pool.py"), "--version")
    more = ("--tasks", "64", "--connections", "8", "--statement", statement)
    got = alternate(rounds, {
        "corbel": p.python("python_postgres.py", server.port, *more),
        "asyncpg": p.python("peers/asyncpg_pool.py", server.port, *more),
        "no reset": p.python("peers/asyncpg_pool.py", server.port, *more, "--no-reset"),
    })
    name = f"{SHOWN[statement]}, 64 tasks, pool of 8, Python asyncio [1/s]"
    return [
        compare(name, of(got["corbel"]), of(got["asyncpg"]), Peer("asyncpg pool", peer), "ratio at least", 4.0),
        compare(name, of(got["corbel"]), of(got["no reset"]), Peer("asyncpg pool without its reset query", peer),
                "ratio at least", 1.5),
    ]


def postgres(p: Programs, rounds: int) -> List[Row]:
    rows: List[Row] = []
    loop = Peer("libpq loop, a sync per statement", version_of(p.path("peer_libpq_loop"), "--version", "1"))
    shown = version_of(str(PROGRAMS / "pgbench"), "--version")
    bench = Peer("pgbench -M prepared -c 8 -j 1", re.search(r"[0-9.]+", shown).group())
    with PostgresServer() as server:
        for statement in ("one", "lookup"):
            rows += in_cpp(p, server, rounds, statement, loop, bench)
        for statement in ("one", "lookup"):
            rows += in_python(p, server, rounds, statement)
        for how, shown in (("try", "try_lease"), ("await", "co_await async_lease")):
            got = alternate(rounds, {"corbel": p.local("bench_pg_lease", server.port, how=how)})["corbel"]
            nanoseconds = sorted(1e9 / r["ops_per_s"] for r in got)[len(got) // 2]
            rows.append(alone(f"lease and return, {shown} [ns]", nanoseconds, "value at most", 1000))
        memory = run(p.command("bench_pg_memory", server.port, connections=64))
        rows.append(alone("a connection's memory beyond libpq's own [KiB]", memory["corbel_kib"] - memory["libpq_kib"],
                          "value at most", 64))
        rows.append(alone("... libpq's own [KiB]", memory["libpq_kib"]))
    return rows
