"""The servers of the subject health: corbel-ingress, nginx, FastAPI; each on a free port, on the server's processor, stopped
by its process id."""
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Dict, List, Optional

from programs import PYTHON, ROOT
from redis_server import free_port, on_server_processor

NGINX = """daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
server {{ listen 127.0.0.1:{port}; location / {{ default_type application/json; return 200 '{body}'; }} }} }}
"""


class HttpServer:
    """A running program that answers GET path. why_not says why it cannot be measured, else it is empty."""

    def __init__(self, command: List[str], port: int, path: str, environment: Optional[Dict[str, str]] = None,
                 folder: str = "", why_not: str = "") -> None:
        self.port, self.folder, self.why_not, self.process = port, folder, why_not, None
        if why_not:
            return
        self.process = subprocess.Popen(command, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL,
                                        preexec_fn=on_server_processor)
        give_up = time.monotonic() + 20
        while not self.answers(path):
            if time.monotonic() > give_up or self.process.poll() is not None:
                raise SystemExit(f"{' '.join(command)} does not answer on port {port}")
            time.sleep(0.02)

    def answers(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def cpu_seconds(self) -> float:
        """User and system time of the process, and of nginx's worker."""
        pids = {str(self.process.pid)}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            fields = stat.read_text().rpartition(")")[2].split()
            if fields[1] in pids:
                pids.add(stat.parent.name)
        ticks = 0
        for pid in pids:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def __enter__(self) -> "HttpServer":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(30)
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def addresses(redis_port: int, postgres_port: int) -> Dict[str, str]:
    """Where a host's servers are."""
    return {
        "REDIS_URL": f"redis://127.0.0.1:{redis_port}",
        "PGHOST": "127.0.0.1", "PGPORT": str(postgres_port), "PGUSER": "postgres", "PGDATABASE": "postgres",
    }


def ingress_command(build: Path, port: int) -> List[str]:
    host = build / "examples/hosts/corbel-ingress"
    if not host.exists():
        raise SystemExit(f"{host} is not built")
    return [str(host), "--address", "127.0.0.1", "--port", str(port), "--drain-notice-ms", "0"]


def ingress(build: Path, environment: Dict[str, str]) -> HttpServer:
    port = free_port()
    return HttpServer(ingress_command(build, port), port, "/readyz", environment)


def nginx() -> HttpServer:
    port, program = free_port(), shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if not program:
        return HttpServer([], port, "/", why_not="not installed: apt-get install nginx-light")
    folder = tempfile.mkdtemp(prefix="corbel-bench-")
    conf = Path(folder) / "nginx.conf"
    conf.write_text(NGINX.format(folder=folder, port=port, body='{"status": "healthy", "draining": false}'))
    return HttpServer([program, "-e", f"{folder}/error.log", "-c", str(conf)], port, "/", folder=folder)


def fastapi_version() -> str:
    """Empty: it is not installed."""
    command = [PYTHON, str(ROOT / "bench/peers/fastapi_health.py"), "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def fastapi_command(port: int) -> List[str]:
    return [PYTHON, "-m", "uvicorn", "--app-dir", str(ROOT / "bench/peers"), "--host", "127.0.0.1", "--port", str(port),
            "--log-level", "error", "--no-access-log", "fastapi_health:app"]


def fastapi() -> HttpServer:
    port = free_port()
    why_not = "" if fastapi_version() else "not installed: apt-get install python3-fastapi uvicorn"
    return HttpServer(fastapi_command(port), port, "/health", why_not=why_not)
