"""A real PostgreSQL of the tests' own: a free port, a directory of its own, no fsync, started and stopped by pid. Run as root
it runs as the user postgres, because it refuses root."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import List, Optional

from redis_server import free_port

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
SETTINGS = """fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
shared_buffers = 16MB
listen_addresses = '127.0.0.1'
logging_collector = off
"""


def _as_postgres(*command: str) -> List[str]:
    if os.geteuid() != 0:
        return list(command)
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]


class PostgresServer:
    """Its folder is not one of pytest's: those are closed to other users whenever a session of pytest begins."""

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="corbel-test-"))
        self._data = self._directory / "data"
        self._process: Optional["subprocess.Popen[bytes]"] = None
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self._directory, user.pw_uid, user.pw_gid)
        initdb = _as_postgres(str(PROGRAMS / "initdb"), "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8",
                              "--locale=C", "--no-sync")  # fmt: skip
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL)
        with open(self._data / "postgresql.auto.conf", "a") as settings:
            settings.write(SETTINGS + f"unix_socket_directories = '{self._directory}'\n")
        for tries in range(5):
            self.port = free_port()
            if self._starts():
                break
        else:
            raise RuntimeError((self._directory / "postgres.log").read_text())
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Again, on the same port."""
        assert self._starts(), (self._directory / "postgres.log").read_text()

    def _starts(self) -> bool:
        """True when the server takes connections; false when the port was taken meanwhile."""
        with open(self._directory / "postgres.log", "ab") as log:
            self._process = subprocess.Popen(
                _as_postgres(str(PROGRAMS / "postgres"), "-D", str(self._data), "-p", str(self.port)), stdout=log, stderr=log
            )
        end = time.monotonic() + 30
        ready = [str(PROGRAMS / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while self._process.poll() is None and time.monotonic() < end:
            if subprocess.run(ready).returncode == 0:
                return True
            time.sleep(0.01)
        self.stop()
        return False

    def stop(self) -> None:
        """Ends it at once, and returns when it is gone."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Stops it and removes its folder."""
        self.stop()
        shutil.rmtree(self._directory, ignore_errors=True)
