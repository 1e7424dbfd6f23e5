"""Hosts of a build folder, started on free ports and stopped at the end."""
import os
import socket
import subprocess
import time
import urllib.request


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def fetch(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return answer.read().decode()


def post(port, path, body):
    urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", body, timeout=10).close()


def await_host(process, port):
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        try:
            return fetch(port, "/livez")
        except OSError:
            time.sleep(0.02)
    raise SystemExit("a host did not come up")


class RunningHost:
    def __init__(self, build, name, redis, *arguments, **environment):
        self.port = free_port()
        command = [f"{build}/examples/hosts/corbel-{name}", "--address", "127.0.0.1", "--port", str(self.port),
                   "--log-level", "error", *arguments]
        self.process = subprocess.Popen(command, env=dict(os.environ, REDIS_URL=redis.url, **environment))
        await_host(self.process, self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)
