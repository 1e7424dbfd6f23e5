"""The bundle loader in the blocking face."""

import ctypes
from types import TracebackType
from typing import Dict, Optional, Sequence, Type

from corbel._bundle_follow import follow_registry, look_now, read_followed
from corbel._bundle_structs import BundlesOptions, bundle_source, runner_options
from corbel._failure import opened
from corbel._handle import Handle
from corbel._library import quick
from corbel._options import text
from corbel.blocking._inbox import Inbox
from corbel.blocking._locked_handle import LockedHandle
from corbel.blocking._port import Core
from corbel.blocking.bundle_runner import BundleRunner
from corbel.blocking.redis import Redis
from corbel.bundle import Bundle, BundleNotice, BundleStatus, Registry, read_notice, read_status
from corbel.errors import Closed


class Bundles:
    """Brings bundles, code in git repositories, keeps them current, and hands them out pinned. Made by ``rt.bundles()``.

        with rt.bundles("/var/lib/app/bundles") as loader:
            bundle = loader.load("app", "https://git.example/app.git", "main", follow=30)
            run(bundle.path)                            # stays as it is until bundle.close()
            for notice in loader:                     # "fetched", "switched", "failed", ...
                if notice.event == "switched": ... loader.pin("app")

    What fails leaves what was current as it was. Several loaders and processes may share a root.
    """

    def __init__(self, core: Core, runtime: Handle, options: BundlesOptions) -> None:
        self._core = core
        self._inbox: Inbox[BundleNotice] = Inbox(core, "loader", read_notice)
        options.to = self._inbox.queue
        pointer = opened(quick.corbel_bundles_open, runtime.pointer, ctypes.byref(options))
        self._handle = LockedHandle(pointer, quick.corbel_bundles_free)

    def load(
        self,
        id: str,
        url: str,
        ref: Optional[str] = None,
        *,
        subdir: Optional[str] = None,
        user: Optional[str] = None,
        secret: Optional[str] = None,
        ssh_key: Optional[str] = None,
        known_hosts: Optional[str] = None,
        ca_file: Optional[str] = None,
        follow: Optional[float] = None,
        submodules: bool = False,
        required: bool = True,
        timeout: Optional[float] = None,
    ) -> Bundle:
        """Makes this the source of the bundle of that id, brings its commit, makes that current, and pins it.

        - url: https://, http://, ssh://, file://, user@host:path, or an absolute path
        - ref: branch, tag, commit or begin of a commit (the repository's default branch); subdir: the bundle's folder in it
        - user, secret: http(s): by default "x-access-token" and none; ssh: "git" and the key's passphrase
        - ssh_key: path of a private key (the agent of SSH_AUTH_SOCK); known_hosts: path (~/.ssh/known_hosts): a host that it
          does not hold is refused; ca_file: path of certificate authorities (the system's)
        - follow: look for a new commit every so many seconds, a tenth earlier or later
        - submodules: theirs too, at the commits that the repository names; credentials stay with its host
        - required: without a commit of it the host is not ready
        """
        source = bundle_source(
            id,
            url,
            ref,
            subdir=subdir,
            user=user,
            secret=secret,
            ssh_key=ssh_key,
            known_hosts=known_hosts,
            ca_file=ca_file,
            follow=follow,
            submodules=submodules,
            required=required,
        )
        with self._core.port() as port:
            start = self._handle.start(port, quick.corbel_bundles_load, ctypes.byref(source), timeout=timeout)
            return Bundle(port.wait(start))

    def pin(self, id: str) -> Bundle:
        """What is current of that id. Invalid for an unknown id, Unavailable while there is nothing. Never waits."""
        self._core.check()
        return Bundle(opened(quick.corbel_bundles_pin, self._open(), text(id, "id")))

    def look(self, id: str) -> None:
        """Looks for a new commit now, as after a push; notices tell what becomes of it. Never waits. Invalid for an unknown
        id."""
        self._core.check()
        look_now(self._open(), id)

    def follow(
        self,
        redis: Optional["Redis"] = None,
        *,
        tenant: Optional[str] = None,
        project: Optional[str] = None,
        file: Optional[str] = None,
        environment: bool = False,
        file_look: Optional[float] = None,
        follow: Optional[float] = None,
        required: bool = True,
    ) -> None:
        """Follows the platform's registry from now on: what it lists is loaded and followed, what it lists no more is
        forgotten. Once.

        - redis: a pool, for the key and the update channel; with a file it may be missing
        - tenant ("home"), project ("default-project"): of the key
        - file: absolute path of a bundles.yaml, which then counts, and is looked at every file_look seconds (2)
        - environment: what is not given comes from TENANT_ID, PROJECT_ID, BUNDLES_YAML_DESCRIPTOR_PATH,
          PLATFORM_DESCRIPTORS_DIR; then /config/bundles.yaml counts where there is one
        - follow: each repository is looked at every so many seconds (60; math.inf: when a message says so)
        - required: without a commit of each of them the host is not ready
        """
        self._core.check()
        follow_registry(
            self._open(),
            redis,
            tenant=tenant,
            project=project,
            file=file,
            environment=environment,
            file_look=file_look,
            follow=follow,
            required=required,
        )

    @property
    def registry(self) -> Registry:
        """The followed registry as it was read last. State where none is followed."""
        self._core.check()
        return read_followed(self._open())

    def ready(self, timeout: Optional[float] = None) -> int:
        """Waits until the followed registry was read, and all that it lists was loaded or has failed: how many have failed.
        Timeout after so many seconds (network_timeout), while the trying goes on."""
        with self._core.port() as port:
            return int(port.wait(self._handle.start(port, quick.corbel_bundles_ready, timeout=timeout)))

    def forget(self, id: str, *, timeout: Optional[float] = None) -> None:
        """Forgets a bundle; its folder is removed as the retention says. Pins stay good."""
        with self._core.port() as port:
            port.wait(self._handle.start(port, quick.corbel_bundles_forget, text(id, "id"), timeout=timeout))

    def prune(self, *, timeout: Optional[float] = None) -> int:
        """Removes what the retention says, in all repositories of the root, and what killed processes have left; loads do it
        for their own repository. Returns how many commits were removed."""
        with self._core.port() as port:
            return int(port.wait(self._handle.start(port, quick.corbel_bundles_prune, timeout=timeout)))

    def runner(
        self,
        *,
        program: Optional[str] = None,
        user: Optional[str] = None,
        environment: Sequence[str] = (),
        max_waiting: int = 0,
    ) -> BundleRunner:
        """Opens a runner of the handlers of these bundles.

        - program: path of corbel-run (CORBEL_RUN, else beside the library)
        - user: who the handlers run as when this process is root (nobody)
        - environment: names of variables of this process that a manifest may ask for
        - max_waiting: requests that wait for one bundle, further ones fail as Busy (1,024)
        """
        return BundleRunner(self._core, self._open(), runner_options(program, user, environment, max_waiting))

    def status(self) -> Dict[str, BundleStatus]:
        """All bundles by id."""
        self._core.check()
        return read_status(self._open())

    def get(self, timeout: Optional[float] = None) -> BundleNotice:
        """The next notice. Raises Timeout after so many seconds, Closed when the loader was closed."""
        return self._inbox.get(timeout)

    def close(self) -> None:
        """Ends what is under way. Pins stay good. Readers get what is there, then their loops end."""
        self._handle.free()
        self._inbox.close()

    def end(self) -> None:
        """For the runtime: nothing more comes."""
        self._inbox.close()

    def _open(self) -> int:
        if not self._handle.pointer:
            raise Closed("the loader was closed")
        return self._handle.pointer

    def __iter__(self) -> "Bundles":
        return self

    def __next__(self) -> BundleNotice:
        try:
            return self.get()
        except Closed:
            raise StopIteration from None

    def __enter__(self) -> "Bundles":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()
