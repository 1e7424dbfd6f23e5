"""What a bundle loader gives and tells, in both faces: pinned bundles, their status, notices, the registry's document."""

import json
import os
from types import TracebackType
from typing import Any, Dict, NamedTuple, Optional, Tuple, Type, Union

from corbel._failure import failure, opened
from corbel._handle import Handle
from corbel._library import quick
from corbel.errors import Closed
from corbel.log import take_bytes


class Bundle:
    """One bundle at one commit: a pin. Its folder stays as it is until :meth:`close`, or until the last reference goes.

    with await loader.load("app", "https://git.example/app.git") as bundle:
        sys.path.insert(0, bundle.path)
    """

    def __init__(self, pointer: int) -> None:
        self._handle = Handle(pointer, quick.corbel_bundle_free)
        self.id: str = quick.corbel_bundle_id(pointer).decode()
        self.commit: str = quick.corbel_bundle_commit(pointer).decode()
        self.path: str = os.fsdecode(quick.corbel_bundle_path(pointer))
        self.folder: str = os.fsdecode(quick.corbel_bundle_folder(pointer))

    @property
    def pinned(self) -> bool:
        """False after close()."""
        return bool(self._handle.pointer)

    def close(self) -> None:
        """Unpins it: its folder may be removed once another commit is current."""
        self._handle.free()

    def __fspath__(self) -> str:
        if not self.pinned:
            raise Closed("the bundle was closed")
        return self.path

    def __repr__(self) -> str:
        return f"<Bundle {self.id} at {self.commit[:12]}{'' if self.pinned else ', closed'}>"

    def __enter__(self) -> "Bundle":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


class BundleAccess(NamedTuple):
    """How a loader enters repositories whose source brings no credentials of its own. With a secret, user@host:path and
    ssh://user@host/path become https://host/path, unless the source has a key.

    - secret: token or password, which goes over https only; user: beside it ("x-access-token")
    - hosts: that get them, with commas between (every host that a source names)
    - ssh_key: path of a private key (the agent of SSH_AUTH_SOCK); known_hosts: path (~/.ssh/known_hosts)
    - ca_file: path of certificate authorities (the system's)
    - environment: what is not given comes from GIT_HTTP_TOKEN, GIT_HTTP_USER, GIT_HTTP_HOSTS, GIT_SSH_KEY_PATH,
      GIT_SSH_KNOWN_HOSTS, GIT_SSL_CAINFO
    """

    secret: Optional[str] = None
    user: Optional[str] = None
    hosts: Optional[str] = None
    ssh_key: Optional[str] = None
    known_hosts: Optional[str] = None
    ca_file: Optional[str] = None
    environment: bool = False

    def __repr__(self) -> str:
        return f"<BundleAccess{' with a secret' if self.secret else ''}>"


class BundleLock(NamedTuple):
    """The platform's lock in Redis, which keeps several machines from doing the same work; renewed, and deleted only while
    it is ours. A Redis that is away holds nobody up. redis: a pool; tenant ("home"), project ("default-project"): of the
    keys; ttl: seconds (30)."""

    redis: Any
    tenant: Optional[str] = None
    project: Optional[str] = None
    ttl: Optional[float] = None


class BundleStatus(NamedTuple):
    """One bundle of a loader. state: "loading", "ready", "stale" (the last look failed, the last good commit keeps serving)
    or "absent" (it failed, and there is nothing to serve); since, checked: Unix seconds, 0.0 for never; progress: of a look
    under way, {"stage", "objects", "of_objects", "bytes", "files", "percent"}, or None."""

    id: str
    state: str
    commit: Optional[str]
    path: Optional[str]
    url: str
    ref: Optional[str]
    subdir: Optional[str]
    required: bool
    error: Optional[str]
    failures: int
    since: float
    checked: float
    files: int
    bytes: int
    progress: Optional[Dict[str, Any]]


class BundleNotice(NamedTuple):
    """What happened: event is "fetched", "switched" (path: of its code), "failed", "removed", "repaired"; or, of a followed
    registry, "refused" (an entry is wrong, or with an empty id all of it) or "forgotten" (it is listed no more); took:
    seconds, of the look as a whole; dropped: notices were lost before this one, because the reader was slow."""

    event: str
    id: str
    commit: Optional[str]
    previous: Optional[str]
    path: Optional[str]
    error: Optional[str]
    bytes: int
    files: int
    took: float
    dropped: bool


class RegistryEntry(NamedTuple):
    """One good entry of a registry. ref: the declared git_commit where no ref is given; config: as it stands there."""

    id: str
    name: Optional[str]
    description: Optional[str]
    repo: Optional[str]
    ref: Optional[str]
    subdir: Optional[str]
    git_commit: Optional[str]
    path: Optional[str]
    module: Optional[str]
    singleton: bool
    config: Optional[Dict[str, Any]]


class RegistryFault(NamedTuple):
    """What is wrong with an entry, which was left out: path is where, such as "items[2].repo"."""

    id: Optional[str]
    path: str
    text: str


class Registry(NamedTuple):
    """The document that says which bundles there are."""

    version: Optional[str]
    default_id: Optional[str]
    entries: Tuple[RegistryEntry, ...]
    faults: Tuple[RegistryFault, ...]


def read_registry(document: Union[str, bytes]) -> Registry:
    """Reads ``bundles.yaml`` or the registry's JSON, in all forms in which they are around. A bad entry is among the faults,
    and the others are good: it raises nothing for what the document says."""
    raw = document.encode() if isinstance(document, str) else document
    return registry_from(json.loads(take_bytes(opened(quick.corbel_bundle_registry_read, raw, len(raw)))))


def registry_from(table: Dict[str, Any]) -> Registry:
    """For this package: a registry of the JSON that the library gives."""
    entries = tuple(RegistryEntry(**entry) for entry in table["entries"])
    return Registry(table["version"], table["default_id"], entries, tuple(RegistryFault(**f) for f in table["faults"]))


def read_status(loader: int) -> "dict[str, BundleStatus]":
    """The status of all bundles of a loader, by id."""
    table = json.loads(take_bytes(opened(quick.corbel_bundles_json, loader)))["bundles"]
    for id, row in table.items():
        row["since"] /= 1000
        row["checked"] /= 1000
        table[id] = BundleStatus(id=id, **row)
    return dict(table)


def read_notice(
    kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int
) -> Optional[BundleNotice]:
    """The notice of an event, whose object is freed; None at the loader's end."""
    failure(status, error)
    if not object:
        return None
    table = json.loads(take_bytes(object))
    table["took"] /= 1000
    return BundleNotice(dropped=bool(flags), **table)
