"""A private git repository for one run, and git http-backend behind nginx over it."""
import os
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Iterator, List

from redis_server import free_port

ENVIRONMENT = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
CONFIGURATION = """
daemon off; {user} pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/body; fastcgi_temp_path {folder}/fastcgi; proxy_temp_path {folder}/proxy;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port}; client_max_body_size 0;
    location / {{
      fastcgi_pass unix:{folder}/cgi.socket; fastcgi_buffering off;
      fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend; fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param GIT_PROJECT_ROOT {served}; fastcgi_param PATH_INFO $uri; fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method; fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length; fastcgi_param GIT_PROTOCOL $http_git_protocol;
      fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
    }}
  }}
}}
"""


def git(*arguments: str, **more: object) -> str:
    done = subprocess.run(["git", *arguments], env=ENVIRONMENT, check=True, stdout=subprocess.PIPE, **more)
    return done.stdout.decode().strip()


class GitRepository:
    """Files of text, a history of ten commits that change 20 files each on main, and a branch `other` at the fifth."""

    def __init__(self, files: int, size: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="corbel-bench-git-"))
        self.path = self.folder / "app.git"
        self.random = random.Random(files)
        self.files, self.size, self.commits = files, size, 0
        git("init", "-q", "--bare", "-b", "main", str(self.path))
        self.change(range(files))
        for i in range(10):
            self.change(self.random.sample(range(files), 20))
            if i == 4:
                git("-C", str(self.path), "branch", "other", "main")
        git("-C", str(self.path), "gc", "-q")
        self.server: List[subprocess.Popen] = []

    def change(self, numbers) -> str:
        """A commit on main that gives these files new text; its id."""
        self.commits += 1
        new = self.commits == 1
        stream = subprocess.Popen(["git", "-C", str(self.path), "fast-import", "--quiet", "--force"], env=ENVIRONMENT,
                                  stdin=subprocess.PIPE)
        for part in self._commit(numbers, new):
            stream.stdin.write(part)
        stream.stdin.close()
        if stream.wait():
            raise SystemExit("git fast-import failed")
        return git("-C", str(self.path), "rev-parse", "main")

    def _commit(self, numbers, new: bool) -> Iterator[bytes]:
        yield b"commit refs/heads/main\ncommitter b <b@example> %d +0000\ndata 6\nchange\n" % (1_700_000_000 + self.commits)
        if not new:
            yield b"from refs/heads/main^0\n"
        for n in numbers:
            text = self.random.randbytes(self.size // 2).hex().encode()
            yield b"M 100644 inline d%d/f%d\ndata %d\n" % (n % 50, n, len(text)) + text + b"\n"

    @property
    def file_url(self) -> str:
        return f"file://{self.path}"

    def serve(self) -> str:
        """Its address over http, from now on."""
        port = free_port()
        user = "user root;" if os.getuid() == 0 else ""
        text = CONFIGURATION.format(user=user, folder=self.folder, port=port, served=self.folder)
        (self.folder / "nginx.conf").write_text(text)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": {**ENVIRONMENT, "HOME": str(self.folder)}}
        self.server = [
            subprocess.Popen(["fcgiwrap", "-s", f"unix:{self.folder}/cgi.socket"], **quiet),
            subprocess.Popen(["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")], **quiet),
        ]
        url = f"http://127.0.0.1:{port}/app.git"
        give_up = time.monotonic() + 20
        while subprocess.run(["git", "ls-remote", "-q", url], env=ENVIRONMENT, capture_output=True, check=False).returncode:
            if time.monotonic() > give_up:
                raise SystemExit(f"git is not served on port {port}; see {self.folder}/error.log")
            time.sleep(0.05)
        return url

    def __enter__(self) -> "GitRepository":
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.server):
            process.terminate()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
