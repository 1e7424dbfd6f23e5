"""The subject health: probes, metrics, log lines, and how soon a host is ready."""
import signal
import subprocess
from typing import Callable, Dict, List

from http_servers import (
    HttpServer,
    addresses,
    fastapi,
    fastapi_command,
    fastapi_version,
    ingress,
    ingress_command,
    nginx,
)
from postgres_server import PostgresServer
from programs import Programs, run
from redis_server import RedisServer, free_port
from rows import Measured, Peer, Row, alternate, compare, median_of, not_measured

CONNECTIONS = 32


def of(results: List[Measured], what: str = "ops_per_s") -> List[float]:
    return [r[what] for r in results]


def loaded(p: Programs, server: HttpServer, path: str = "/health", connections: int = CONNECTIONS) -> Callable[[], Measured]:
    """What the load generator saw, and what each answer cost the server."""
    load = p.client("bench_http_load", server.port, path=path, connections=connections)

    def measure() -> Measured:
        before = server.cpu_seconds()
        got = load()
        return {**got, "server_us": 1e6 * (server.cpu_seconds() - before) / (got["ops"] * (1 + 0.2 / p.seconds))}

    return measure


def probes(p: Programs, rounds: int, redis: RedisServer, postgres: PostgresServer) -> List[Row]:
    name = f"GET /health, {CONNECTIONS} connections [1/s]"
    rows: List[Row] = []
    with ingress(p.build, addresses(redis.port, postgres.port)) as host, nginx() as static, fastapi() as python:
        programs: Dict[str, Callable[[], Measured]] = {"corbel": loaded(p, host)}
        peers = (("nginx", static, nginx_peer(), 0.7), ("fastapi", python, Peer("FastAPI, one worker", fastapi_version()), 5.0))
        programs.update({key: loaded(p, server) for key, server, _, _ in peers if not server.why_not})
        got = alternate(rounds, programs)
        for key, server, peer, floor in peers:
            if server.why_not:
                rows.append(not_measured(name, of(got["corbel"]), peer, server.why_not, "ratio at least", floor))
                continue
            rows.append(compare(name, of(got["corbel"]), of(got[key]), peer, "ratio at least", floor))
            rows.append(compare("... processor time of the server by answer [us]", of(got["corbel"], "server_us"),
                                of(got[key], "server_us"), peer))
        rows.append(median_of("... p99 [ms]", of(got["corbel"], "p99_ms"), "value at most", 1.0))
        redis.process.send_signal(signal.SIGSTOP)
        try:
            stopped = alternate(rounds, {"corbel": loaded(p, host)})
        finally:
            redis.process.send_signal(signal.SIGCONT)
        rows.append(median_of("... with Redis stopped by SIGSTOP, p99 [ms]", of(stopped["corbel"], "p99_ms"),
                              "value at most", 1.0))
    return rows


def nginx_peer() -> Peer:
    try:
        text = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=False).stderr
    except OSError:
        text = ""
    return Peer("nginx, return 200, one worker", text.strip().rpartition("/")[2])


def scrape(p: Programs, rounds: int) -> List[Row]:
    with subprocess.Popen(p.command("bench_metrics_host", 0, series=2000), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as host:
        try:
            port = int(host.stdout.readline())
            got = alternate(rounds, {"corbel": p.client("bench_http_load", port, path="/metrics", connections=1)})
        finally:
            host.stdin.close()
    return [median_of("GET /metrics, 2,000 series, p50 [ms]", of(got["corbel"], "p50_ms"), "value at most", 3.0)]


def start(p: Programs, rounds: int, redis: RedisServer, postgres: PostgresServer) -> List[Row]:
    """From exec to the first 200, with a connection to Redis and one to PostgreSQL."""
    environment = addresses(redis.port, postgres.port)
    url = f"postgresql://postgres@127.0.0.1:{postgres.port}/postgres"

    def measured(path: str, command_of: Callable[[int], List[str]]) -> Callable[[], Measured]:
        def measure() -> Measured:
            port = free_port()
            command = [p.path("bench_http_ready"), "--port", str(port), "--path", path, "--", *command_of(port)]
            return run(command, {**p.python_environment(), **environment, "POSTGRES_URL": url})

        return measure

    servers = ["--redis", str(redis.port), "--postgres", str(postgres.port)]
    bare, python = Peer("a bare C program"), Peer("FastAPI, redis-py, asyncpg", fastapi_version())
    programs = {
        "corbel": measured("/readyz", lambda port: ingress_command(p.build, port)),
        "bare": measured("/", lambda port: [p.path("peer_bare_host"), "--port", str(port), *servers]),
    }
    if python.version:
        programs["python"] = measured("/health", fastapi_command)
    got = alternate(rounds, programs)
    rows = []
    for what, name, floor in (("ready_ms", "ingress ready after its exec [ms]", 30.0), ("resident_mib", "... resident [MiB]", 15.0)):
        mine = of(got["corbel"], what)
        rows.append(median_of(name, mine, "value at most", floor))
        rows.append(compare(name, mine, of(got["bare"], what), bare))
        if python.version:
            rows.append(compare(name, mine, of(got["python"], what), python))
        else:
            rows.append(not_measured(name, mine, python, "not installed: apt-get install python3-fastapi uvicorn"))
    return rows


def costs(p: Programs, rounds: int) -> List[Row]:
    programs = {kind: p.local("bench_metric_update", 0, kind=kind) for kind in ("counter", "gauge", "histogram")}
    got = alternate(rounds, {"log": p.local("bench_log_line", 0), **programs})
    rows = [median_of("a log line, for who writes it [us]", of(got["log"], "us_per_line"), "value at most", 2.0)]
    for kind in programs:
        nanoseconds = [1e9 / ops for ops in of(got[kind])]
        rows.append(median_of(f"an update of a {kind} [ns]", nanoseconds, "value at most", 30.0))
    return rows


def health(p: Programs, rounds: int) -> List[Row]:
    with RedisServer() as redis, PostgresServer() as postgres:
        return [*probes(p, rounds, redis, postgres), *scrape(p, rounds), *start(p, rounds, redis, postgres), *costs(p, rounds)]
