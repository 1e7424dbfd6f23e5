"""A redis-server of the test's own: a free port of the loopback address, a temporary folder, stopped by pid."""
import random
import shutil
import socket
import subprocess
import tempfile
import time


class PrivateRedis:
    def __init__(self):
        self._folder = tempfile.mkdtemp(prefix="corbel-test-")
        self._process = None
        # Below the range that clients get theirs from: while the server is down nobody else may end up on its port.
        for self.port in random.sample(range(10000, 32000), 5):
            if self.start():
                return
        raise RuntimeError("redis-server did not start on any of five ports")

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def start(self):
        """True when it answers PING; false when the port was taken meanwhile."""
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self._folder],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
                    s.sendall(b"PING\r\n")
                    if s.recv(7) == b"+PONG\r\n":
                        return True
            except OSError:
                time.sleep(0.005)
        self.kill()
        return False

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
