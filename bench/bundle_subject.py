"""The subject bundle: code out of git repositories, beside the program git."""
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Callable, Dict, List

from git_server import GitRepository, git
from programs import Programs
from rows import Measured, Peer, Row, alone, alternate, compare

REPOSITORIES = ((2_000, 25_600), (20_000, 2_560))  # files, bytes of each
AFTER_FETCH = {2_000: 60.0, 20_000: 600.0}  # ms


class Loader:
    """A bench_bundle_loader with a root of its own."""

    def __init__(self, p: Programs, folder: Path, url: str) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="root-", dir=folder))
        command = [p.path("bench_bundle_loader"), "--root", str(self.root), "--url", url]
        command += ["--git", str(p.build / "corbel-git")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line: str) -> Measured:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"bench_bundle_loader ended at: {line}")
        return json.loads(answer)

    def load(self, ref: str, bundle: str = "app") -> Measured:
        return self.ask(f"load {bundle} {ref}")

    def __enter__(self) -> "Loader":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait()
        remove(self.root)


def remove(folder: Path) -> None:
    if not folder.exists():
        return
    subprocess.run(["chmod", "-R", "u+w", str(folder)], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def timed(*arguments: str) -> Measured:
    since = time.monotonic()
    git(*arguments)
    return {"ms": 1e3 * (time.monotonic() - since)}


def of(results: List[Measured], what: str = "ms") -> List[float]:
    return [r[what] for r in results]


def clone(folder: Path, url: str) -> Measured:
    to = folder / "clone"
    remove(to)
    return timed("clone", "-q", url, str(to))


def first_load(p: Programs, folder: Path, url: str) -> Measured:
    with Loader(p, folder, url) as loader:
        return loader.load("main")


def other_ref(p: Programs, folder: Path, url: str) -> Measured:
    with Loader(p, folder, url) as loader:
        loader.load("main")
        return loader.load("other", "second")


class Changes:
    """A repository that changes, and who follows it: one loader, one work tree of git."""

    def __init__(self, p: Programs, repository: GitRepository, url: str) -> None:
        self.repository, self.url, self.tree = repository, url, repository.folder / "tree"
        git("clone", "-q", "--depth", "1", url, str(self.tree))
        self.loader = Loader(p, repository.folder, url)
        self.loader.load("main")

    def commit(self, files: int) -> str:
        r = self.repository
        return r.change(r.random.sample(range(r.files), files))

    def by_corbel(self) -> Measured:
        self.commit(20)
        return self.loader.load("main")

    def by_git(self) -> Measured:
        self.commit(20)
        fetch = timed("-C", str(self.tree), "fetch", "-q", "--depth", "1", "origin", "main")
        checkout = timed("-C", str(self.tree), "checkout", "-q", "--detach", "FETCH_HEAD")
        return {"ms": fetch["ms"] + checkout["ms"]}

    def after_fetch(self) -> Measured:
        """One changed file, whose commit the mirror has already: nobody is asked for it."""
        commit = self.commit(1)
        (mirror,) = self.loader.root.glob("repos/*/git")
        git("-C", str(mirror), "fetch", "-q", self.repository.file_url, "main:refs/bench")
        return self.loader.load(commit)

    def nothing_new(self) -> Measured:
        self.loader.load("main")
        return self.loader.load("main")

    def pins(self) -> Measured:
        refs = [self.commit(20) for _ in range(3)]
        return self.loader.ask(f"pins app {' '.join(refs)}")

    def __enter__(self) -> "Changes":
        return self

    def __exit__(self, *_: object) -> None:
        self.loader.__exit__()
        remove(self.tree)


def of_repository(p: Programs, rounds: int, files: int, size: int, version: str) -> List[Row]:
    rows: List[Row] = []
    what = f"{files:,} files"
    with GitRepository(files, size) as repository:
        for transport, url in (("file://", repository.file_url), ("http", repository.serve())):
            peer = Peer(f"git clone, {transport}", version)
            got = alternate(rounds, {
                "first": lambda: first_load(p, repository.folder, url),
                "other": lambda: other_ref(p, repository.folder, url),
                "clone": lambda: clone(repository.folder, url),
            })
            rows.append(compare(f"{what}: first load [ms]", of(got["first"]), of(got["clone"]), peer, "ratio at most", 1.2))
            rows.append(compare("... another ref, the repository is mirrored [ms]", of(got["other"]), of(got["clone"]), peer,
                                "ratio at most", 0.3))
            with Changes(p, repository, url) as changes:
                programs: Dict[str, Callable[[], Measured]] = {
                    "corbel": changes.by_corbel, "git": changes.by_git, "nothing": changes.nothing_new,
                    "ls-remote": lambda: timed("ls-remote", "-q", url, "refs/heads/main"),
                }
                got = alternate(rounds, programs)
                fetch = Peer(f"git fetch --depth 1 and checkout in place, {transport}", version)
                rows.append(compare("... a commit that changes 20 files [ms]", of(got["corbel"]), of(got["git"]), fetch,
                                    "ratio at most", 0.5))
                ask = Peer(f"git ls-remote, {transport}", version)
                rows.append(compare("... nothing new [ms]", of(got["nothing"]), of(got["ls-remote"]), ask, "ratio at most", 1.5))
                rows.append(alone(f"... nothing new, {transport}, processor time with the helper [ms]",
                                  middle(of(got["nothing"], "cpu_ms")), "value at most", 5))
                if transport == "file://":
                    after = alternate(rounds, {"after": changes.after_fetch})["after"]
                    rows.append(alone(f"{what}: one changed file, after the fetch [ms]", middle(of(after)), "value at most",
                                      AFTER_FETCH[files]))
                    pins = alternate(rounds, {"pins": changes.pins})["pins"]
                    rows.append(alone("... pin and unpin while commits are switched [ns]", middle(of(pins, "ns")),
                                      "value at most", 1000))
                    rows.append(alone("... the slowest hundred of them [us]", middle(of(pins, "longest_us"))))
    return rows


def middle(values: List[float]) -> float:
    return sorted(values)[len(values) // 2]


def bundle(p: Programs, rounds: int) -> List[Row]:
    version = git("--version").split()[2]
    rows: List[Row] = []
    for files, size in REPOSITORIES:
        rows += of_repository(p, rounds, files, size, version)
    return rows
