"""A git repository of the test's own, with a bundle that says "hello 1", then "hello 2" after a push, and so on: in a file,
and by a handler."""
import os
import pathlib
import shutil
import subprocess
import tempfile

AUTHOR = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "t"), ("EMAIL", "t@example"))}
MANIFEST = """command: [python3, main.py]
concurrency: 4
limits: {start: 60, turn: 60}
"""
HANDLER = """import json, os, sys, time
def say(**line): print(json.dumps(line), flush=True)
say(ready=True)
for line in sys.stdin:
    request = json.loads(line)
    if "id" not in request: continue
    id, task = request["id"], request["task"]
    if task.get("do") == "exit": os._exit(3)
    if task.get("do") == "hang": continue
    if task.get("do") == "fail":
        say(id=id, error={"message": "as asked", "class": "ValueError", "retry": True})
        continue
    for step in range(2): say(id=id, event={"step": step})
    say(id=id, result={"says": open("hello.txt").read() + ", " + task.get("name", "nobody"), "kind": request["kind"]})
"""


class PrivateGit:
    def __init__(self):
        self._folder = tempfile.mkdtemp(prefix="corbel-test-")
        self.url = f"{self._folder}/app.git"
        self.root = f"{self._folder}/root"  # for a loader
        self._tree = pathlib.Path(self._folder, "tree")
        self._git("init", "-q", "--bare", "-b", "main", self.url)
        self._git("init", "-q", "-b", "main", str(self._tree))
        os.chmod(self._folder, 0o755)  # handlers run as somebody else
        pathlib.Path(self._tree, "bundle.yaml").write_text(MANIFEST)
        pathlib.Path(self._tree, "main.py").write_text(HANDLER)
        self._said = 0
        self.push()

    def push(self):
        """The next commit; its id."""
        self._said += 1
        pathlib.Path(self._tree, "hello.txt").write_text(f"hello {self._said}")
        self._git("-C", str(self._tree), "add", "-A")
        self._git("-C", str(self._tree), "commit", "-q", "-m", "change")
        self._git("-C", str(self._tree), "push", "-q", self.url, "main")
        return self._git("-C", str(self._tree), "rev-parse", "HEAD").strip()

    def environment(self):
        return {"BUNDLE_URL": self.url, "BUNDLE_ROOT": self.root}

    def _git(self, *arguments):
        return subprocess.run(["git", *arguments], check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1", **AUTHOR)).stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["chmod", "-R", "u+w", self._folder], check=False)
        shutil.rmtree(self._folder, ignore_errors=True)
