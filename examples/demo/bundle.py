"""The bundle of the demo: the sample bundles in a git repository of its own, and a change that is pushed while it is in use."""
import os
import pathlib
import shutil
import subprocess

SAMPLES = pathlib.Path(__file__).resolve().parents[1] / "bundles"
AUTHOR = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
          for what, value in (("NAME", "demo"), ("EMAIL", "demo@example.org"))}
REGISTRY = """bundles:
  version: '1'
  default_bundle_id: words
  items:
  - {{id: words, repo: 'file://{repository}', ref: main, subdir: word_count_py}}
  - {{id: echo, repo: 'file://{repository}', ref: main, subdir: echo_sh}}
"""


class BundleRepository:
    def __init__(self, directory):
        self.repository = f"{directory}/bundles.git"
        self.registry = f"{directory}/bundles.yaml"
        self.root = f"{directory}/bundles"  # for the loader
        self._tree = pathlib.Path(directory, "bundles-tree")
        os.chmod(directory, 0o755)  # handlers run as somebody else
        self._git("init", "-q", "--bare", "-b", "main", self.repository)
        self._git("init", "-q", "-b", "main", str(self._tree))
        for sample in ("word_count_py", "echo_sh"):
            shutil.copytree(SAMPLES / sample, self._tree / sample, ignore=shutil.ignore_patterns("__pycache__"))
        self.commit = self._push("the sample bundles")
        pathlib.Path(self.registry).write_text(REGISTRY.format(repository=self.repository))

    def change(self):
        """Another commit, whose answers begin with "so it is: "; its id."""
        path = self._tree / "word_count_py/main.py"
        path.write_text(path.read_text().replace('{"final_answer": answer', '{"final_answer": "so it is: " + answer'))
        self.commit = self._push("answers say more")
        return self.commit

    def clean(self):
        subprocess.run(["chmod", "-R", "u+w", self.root], check=False, stderr=subprocess.DEVNULL)

    def _push(self, message):
        self._git("-C", str(self._tree), "add", "-A")
        self._git("-C", str(self._tree), "commit", "-q", "-m", message)
        self._git("-C", str(self._tree), "push", "-q", self.repository, "main")
        return self._git("-C", str(self._tree), "rev-parse", "HEAD").strip()

    def _git(self, *arguments):
        return subprocess.run(["git", *arguments], check=True, text=True, stdout=subprocess.PIPE,
                              env=dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1", **AUTHOR)).stdout
