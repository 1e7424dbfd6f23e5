"""The measured programs: where they are, how they are run, what version a peer has."""
import csv
import io
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Callable, Dict, List, Optional

from redis_server import RedisServer, on_client_processors
from rows import Measured, Peer

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "/usr/bin/python3"  # the one that Debian's python3-redis belongs to


class Programs:
    def __init__(self, build: Path, seconds: float) -> None:
        self.build = build
        self.seconds = seconds

    def path(self, name: str) -> str:
        found = self.build / "bench" / name
        if not found.exists():
            raise SystemExit(f"{found} is not built: configure with CORBEL_BENCH=ON and build {self.build}")
        return str(found)

    def client(self, name: str, port: int, **options: object) -> Callable[[], Measured]:
        """A program of the build folder, on the clients' processors; options become --name value."""
        return lambda: run(self.command(name, port, **options), pin=on_client_processors)

    def local(self, name: str, port: int, **options: object) -> Callable[[], Measured]:
        """One that measures without the server, on any processor."""
        return lambda: run(self.command(name, port, **options))

    def command(self, name: str, port: int, **options: object) -> List[str]:
        command = [self.path(name), "--port", str(port), "--seconds", str(self.seconds)]
        for option, value in options.items():
            command += ["--" + option.replace("_", "-"), str(value)]
        return command

    def python(self, script: str, port: int, *more: str) -> Callable[[], Measured]:
        command = [PYTHON, str(ROOT / "bench" / script), "--port", str(port), "--seconds", str(self.seconds), *more]
        return lambda: run(command, self.python_environment(), on_client_processors)

    def python_environment(self) -> Dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT / "bindings" / "python"),
            "CORBEL_LIBRARY": str(self.build / "libcorbel.so"),
        }

    def redis_benchmark(self, server: RedisServer, clients: int, anywhere: bool = False) -> Callable[[], Measured]:
        """On the clients' processors; anywhere: on any."""
        pin = None if anywhere else on_client_processors

        def times(requests: int) -> float:
            command = ["redis-benchmark", "-p", str(server.port), "-c", str(clients), "-t", "get", "-d", "64"]
            command += ["-n", str(requests), "--csv"]
            done = subprocess.run(command, capture_output=True, text=True, check=True, preexec_fn=pin)
            return float(next(csv.DictReader(io.StringIO(done.stdout)))["rps"])

        requests = int(times(20_000) * self.seconds)
        return lambda: {"ops_per_s": times(requests)}

    def hiredis(self) -> str:
        command = [self.path("peer_hiredis_get"), "--version", "1"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def run(
    command: List[str], environment: Optional[Dict[str, str]] = None, pin: Optional[Callable[[], None]] = None
) -> Measured:
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, check=False, timeout=120, preexec_fn=pin
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def redis_benchmark_peer(clients: int) -> Peer:
    text = subprocess.run(["redis-benchmark", "--version"], capture_output=True, text=True, check=True).stdout
    return Peer(f"redis-benchmark -c {clients}", re.search(r"[0-9.]+", text).group())


def redis_py_peer(how: str) -> Peer:
    command = [PYTHON, str(ROOT / "bench/peers/redis_py_asyncio.py"), "--version"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return Peer(f"redis-py asyncio, {how}", text)

