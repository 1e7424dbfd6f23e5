"""The queue's peers: job queues of npm and of Debian, as they are installed, found and run."""
import json
import os
import shutil
import subprocess
from typing import Callable, Tuple

from programs import PYTHON, ROOT, run
from redis_server import RedisServer, on_client_processors
from rows import Measured, Peer

NODE_PEERS = ROOT / "bench/peers/node"
SHOWN = {"bullmq": "BullMQ", "bee_queue": "bee-queue"}


class NodePeers:
    """BullMQ and bee-queue in the versions of package-lock.json, installed outside the source tree. `why_not` says why they
    cannot be measured, else it is empty."""

    def __init__(self) -> None:
        self.folder = ROOT / "build/bench/node"
        self.why_not = self.install()

    def install(self) -> str:
        if not shutil.which("node") or not shutil.which("npm"):
            return "not installed: node and npm"
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = (NODE_PEERS / "package-lock.json").read_text()
        done = self.folder / "installed.json"
        if done.exists() and done.read_text() == lock:
            return ""
        for name in ("package.json", "package-lock.json"):
            shutil.copy(NODE_PEERS / name, self.folder / name)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        npm = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=300)
        if npm.returncode:
            return f"not installed: npm ci ended with {npm.returncode}"
        done.write_text(lock)
        return ""

    def peer(self, name: str, how: str = "") -> Peer:
        lock = json.loads((NODE_PEERS / "package-lock.json").read_text())
        version = lock["packages"]["node_modules/" + name.replace("_", "-")]["version"]
        return Peer(SHOWN[name] + how, version)

    def program(self, name: str, how: str, port: int, seconds: float, **options: object) -> Callable[[], Measured]:
        command = ["node", str(NODE_PEERS / "queue.js"), "--peer", name, "--how", how, "--port", str(port)]
        command += ["--seconds", str(seconds)]
        for option, value in options.items():
            command += ["--" + option.replace("_", "-"), str(value)]
        environment = {**os.environ, "NODE_PATH": str(self.folder / "node_modules"), "NODE_ENV": "production"}
        return lambda: run(command, environment, on_client_processors)


def python_peer(shown: str, module: str, script: str) -> Tuple[Peer, str]:
    """The peer, and why it cannot be measured."""
    command = [PYTHON, str(ROOT / "bench/peers" / script), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return Peer(shown), f"not installed: apt-get install python3-{module}"
    return Peer(shown, done.stdout.strip()), ""


def fresh(server: RedisServer, measured: Callable[[], Measured]) -> Callable[[], Measured]:
    """On an empty server."""

    def measure() -> Measured:
        server.answer("FLUSHALL")
        return measured()

    return measure
