"""The processes of the demo: a private redis-server, a private PostgreSQL and the two hosts. Each is stopped by its process
id."""
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import tempfile
import time


class CannotStart(Exception):
    pass


def free_port():
    """Below the range that clients get theirs from: while a server is down nobody else may end up on its port."""
    for port in random.sample(range(10000, 32000), 100):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port between 10000 and 32000")


class Server:
    """One process, its output in a file. A session of its own: Ctrl-C reaches the demo, which then stops it in order."""

    def __init__(self, name, arguments, log, environment=None):
        self.name, self.arguments, self.log = name, [str(a) for a in arguments], log
        self.environment = dict(os.environ, **(environment or {}))
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=self.environment, start_new_session=True)

    @property
    def pid(self):
        return self.process.pid

    def ended(self):
        return self.process is not None and self.process.poll() is not None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def terminate(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait(self, seconds):
        """Waits for the end, after the time with SIGKILL; the exit status."""
        if self.process is None:
            return None
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.returncode

    def last_words(self):
        try:
            return pathlib.Path(self.log).read_text(errors="replace")[-2000:]
        except OSError:
            return ""


def document(redis=16, postgres=4):
    """What the hosts' pools are sized by."""
    return json.dumps({"tenant": "demo", "project": "corbel", "service_capacity": {"concurrent_requests_per_process": 32},
                       "pools": {"redis_max_connections": redis, "pg_pool_max_size": postgres}})


class Servers:
    def __init__(self, binaries):
        from bundle import BundleRepository
        from database import Database

        self.directory = tempfile.mkdtemp(prefix="corbel-demo-")
        self.redis_port, self.ingress_port, self.proc_port = free_port(), free_port(), free_port()
        self.redis = self._redis()
        self.database = Database(self.directory)
        try:
            self.bundle = BundleRepository(self.directory)
        except (OSError, subprocess.CalledProcessError) as e:
            raise CannotStart(f"the bundles' repository could not be made: {e}; is git installed?") from None
        environment = {"REDIS_URL": f"redis://127.0.0.1:{self.redis_port}", "GATEWAY_CONFIG_JSON": document(),
                       **self.database.environment}
        self.ingress = self._host("ingress", binaries, self.ingress_port, environment)
        # A message whose worker is cut off from Redis comes back soon: it is a short demonstration.
        self.proc = self._host("proc", binaries, self.proc_port, environment, "--lease-ms", "3000",
                               "--bundles", self.bundle.registry, "--bundles-root", self.bundle.root)

    def _redis(self):
        program = shutil.which("redis-server")
        if program is None:
            raise CannotStart("redis-server is not installed: `make deps` says how")
        return Server("redis-server",
                      [program, "--port", self.redis_port, "--bind", "127.0.0.1", "--dir", self.directory,
                       "--appendonly", "yes", "--appendfsync", "always", "--save", ""], f"{self.directory}/redis.log")

    def _host(self, name, binaries, port, environment, *more):
        program = next((p for p in (binaries / "examples/hosts" / f"corbel-{name}", binaries / f"corbel-{name}") if p.exists()),
                       None)
        if program is None:
            raise CannotStart(f"there is no corbel-{name} under {binaries}: build it first (`make build`)")
        return Server(name, [program, "--address", "127.0.0.1", "--port", port, *more], f"{self.directory}/{name}.log",
                      environment)

    def all(self):
        return [self.ingress, self.proc, self.redis, self.database.server]

    def stop(self, seconds=15):
        """The hosts first, while the servers are there for them to drain; the exit statuses by name. One SIGTERM each: a second one
        would end a host at once."""
        statuses = {}
        for together in ((self.ingress, self.proc), (self.redis, self.database.server)):
            for server in together:
                server.terminate()
            statuses.update((server.name, server.wait(seconds)) for server in together)
        return statuses

    def clean(self):
        self.bundle.clean()
        shutil.rmtree(self.directory, ignore_errors=True)


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise CannotStart(what())
        time.sleep(0.01)
