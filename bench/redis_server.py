"""A private redis-server for one run: free port, nothing kept on disk, a processor of its own, stopped by its process id.

The server runs on the first processor and the measured programs on the others. Left to the scheduler, a client and the
server sometimes land on one processor, where waking each other costs a tenth of what it costs across: two kinds of runs
that must not be compared.
"""
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time

KEY = "key:__rand_int__"  # the key that redis-benchmark reads
VALUE = "x" * 64


def processors() -> tuple:
    """The server's, and those of the measured programs; the same when there is only one."""
    all_of_them = sorted(os.sched_getaffinity(0))
    return all_of_them[:1], all_of_them[1:] or all_of_them


def on_server_processor() -> None:
    os.sched_setaffinity(0, processors()[0])


def on_client_processors() -> None:
    os.sched_setaffinity(0, processors()[1])


def free_port() -> int:
    """Below the range that clients get theirs from: while the server is down nobody else may end up on its port, not even a
    client that connects to itself."""
    for port in random.sample(range(20000, 32000), 100):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise SystemExit("no free port between 20000 and 32000")


class RedisServer:
    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="corbel-bench-")
        self.port = free_port()
        self.process = None
        self.start()

    def start(self) -> None:
        """Returns when the server answers; the value is set."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder]
        command += ["--save", "", "--appendonly", "no", "--client-output-buffer-limit", "pubsub 0 0 0"]
        command += ["--logfile", "redis.log"]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdout=quiet, stderr=quiet, preexec_fn=on_server_processor)
        give_up = time.monotonic() + 10
        while self.answer("PING") != "PONG":
            if time.monotonic() > give_up or self.process.poll() is not None:
                raise SystemExit(f"redis-server did not start on port {self.port}; see {self.folder}/redis.log")
            time.sleep(0.02)
        self.answer("SET", KEY, VALUE)

    def answer(self, *command: str) -> str:
        cli = ["redis-cli", "-p", str(self.port), *command]
        try:
            return subprocess.run(cli, capture_output=True, text=True, check=False, timeout=5).stdout.strip()
        except subprocess.TimeoutExpired:
            return ""

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> "RedisServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
