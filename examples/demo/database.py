"""The demo's private PostgreSQL: initialized in the demo's folder, run as the user postgres where this is root."""
import glob
import os
import pathlib
import shutil
import subprocess

from servers import CannotStart, Server, free_port

TABLE = "kdcube_demo_corbel.requests"


def program(name):
    found = shutil.which(name) or next(iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)), None)
    if found is None:
        raise CannotStart(f"{name} of PostgreSQL is not installed: `make deps` says how")
    return found


def as_postgres(arguments):
    """PostgreSQL refuses root."""
    user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] if os.geteuid() == 0 else []
    return [*user, *arguments]


class Database:
    def __init__(self, directory):
        self.port = free_port()
        self.folder = pathlib.Path(directory, "postgres")
        self.server = Server("postgres", as_postgres([program("postgres"), "-D", self.folder, "-p", self.port, "-k", self.folder,
                                                      "-c", "listen_addresses=127.0.0.1"]), f"{directory}/postgres.log")
        self.environment = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "postgres", "PGDATABASE": "postgres"}

    def start(self):
        self.folder.mkdir()
        os.chmod(self.folder.parent, 0o711)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        made = subprocess.run(as_postgres([program("initdb"), "-D", self.folder, "-U", "postgres", "-A", "trust", "--no-sync"]),
                              cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if made.returncode != 0:
            raise CannotStart(f"initdb failed:\n{made.stdout}")
        self.server.start()

    def value(self, sql):
        """The only value of a query; None while the server does not answer."""
        asked = subprocess.run([program("psql"), "-XAtqc", sql], env=dict(os.environ, **self.environment), text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return asked.stdout.strip() if asked.returncode == 0 else None
