"""A PostgreSQL of the test's own: a free port of the loopback address, a temporary folder, without fsync, stopped by pid. Run
as root it runs as the user postgres, because it refuses root."""
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")


def as_postgres(*command):
    words = [str(word) for word in command]
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *words] if os.geteuid() == 0 else words


class PrivatePostgres:
    def __init__(self):
        self._folder = tempfile.mkdtemp(prefix="corbel-test-")
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self._folder, user.pw_uid, user.pw_gid)
        data = f"{self._folder}/data"
        subprocess.run(as_postgres(PROGRAMS / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
                                   "--no-sync"), check=True, stdout=subprocess.DEVNULL)
        for _ in range(5):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            if self._start(data):
                return
        raise RuntimeError("PostgreSQL did not start on five free ports")

    @property
    def url(self):
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def _start(self, data):
        """True when it takes connections; false when the port was taken meanwhile."""
        self._process = subprocess.Popen(
            as_postgres(PROGRAMS / "postgres", "-D", data, "-p", self.port, "-k", self._folder, "-c", "fsync=off",
                        "-c", "listen_addresses=127.0.0.1"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self._process.poll() is None:
            if subprocess.run([PROGRAMS / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode == 0:
                return True
            time.sleep(0.01)
        return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
