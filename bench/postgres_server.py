"""A private PostgreSQL for one run: free port, nothing kept, on the server's processor, stopped by its process id. Run as root
it runs as the user postgres, because it refuses root."""
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import List

from redis_server import free_port, on_server_processor

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
ROWS = 100_000
SETTINGS = ("fsync=off", "synchronous_commit=off", "autovacuum=off", "listen_addresses=127.0.0.1", "max_connections=200",
            "shared_buffers=64MB")
TABLE = (f"CREATE TABLE bench AS SELECT i AS id, 'name ' || i AS name FROM generate_series(0, {ROWS}) i; "
         "ALTER TABLE bench ADD PRIMARY KEY (id)")


def _as_postgres(*command: object) -> List[str]:
    words = [str(word) for word in command]
    if os.geteuid() != 0:
        return words
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *words]


class PostgresServer:
    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="corbel-bench-")
        self.port = free_port()
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        data = f"{self.folder}/data"
        initdb = [PROGRAMS / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--locale=C", "-E", "UTF8", "--no-sync"]
        subprocess.run(_as_postgres(*initdb), check=True, stdout=subprocess.DEVNULL)
        command: List[object] = [PROGRAMS / "postgres", "-D", data, "-p", self.port, "-k", self.folder]
        for setting in SETTINGS:
            command += ["-c", setting]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(_as_postgres(*command), stdout=quiet, stderr=quiet, preexec_fn=on_server_processor)
        ready = [str(PROGRAMS / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        give_up = time.monotonic() + 30
        while subprocess.run(ready, check=False).returncode != 0:
            if time.monotonic() > give_up or self.process.poll() is not None:
                raise SystemExit(f"PostgreSQL did not start on port {self.port}; see {self.folder}")
            time.sleep(0.05)
        psql = [str(PROGRAMS / "psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-q", "-c", TABLE, "postgres"]
        subprocess.run(psql, check=True)

    def __enter__(self) -> "PostgresServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
