"""A real redis-server of the tests' own: on a free port, in a directory of its own, started and stopped by pid."""

import os
import random
import socket
import subprocess
import time
from pathlib import Path
from typing import Optional


def free_port() -> int:
    """Below the range that clients get theirs from: while a server is down nobody else may end up on its port."""
    for port in random.sample(range(10000, 32000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port between 10000 and 32000")


class RedisServer:
    def __init__(self, directory: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._directory = directory
        self._options = options
        self._process: Optional["subprocess.Popen[bytes]"] = None
        self.start()

    def start(self) -> None:
        """Returns when the server answers PONG."""
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._directory)]
            + list(self._options),
            stdout=subprocess.DEVNULL,
        )
        end = time.monotonic() + 10
        while not self._answers():
            assert self._process.poll() is None, "redis-server ended by itself"
            assert time.monotonic() < end, "redis-server does not answer"
            time.sleep(0.005)

    def _answers(self) -> bool:
        try:
            return self.ask(b"PING").startswith(b"+PONG")
        except OSError:
            return False

    def ask(self, line: bytes) -> bytes:
        """Sends one inline command on a connection of its own and returns the first bytes of the answer."""
        with socket.create_connection(("127.0.0.1", self.port), 1) as stream:
            stream.sendall(line + b"\r\n")
            return stream.recv(65536)

    def signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def stop(self) -> None:
        """Kills it, and returns when it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
