"""The bundle loader in the asyncio face."""

import ctypes
from types import TracebackType
from typing import Dict, Optional, Sequence, Type

from corbel._bundle_follow import follow_registry, look_now, read_followed
from corbel._bundle_structs import BundlesOptions, bundle_source, runner_options
from corbel._failure import opened
from corbel._handle import Handle
from corbel._library import quick
from corbel._mailbox import Mailbox
from corbel._options import text
from corbel.bundle import Bundle, BundleNotice, BundleStatus, Registry, read_notice, read_status
from corbel.bundle_runner import BundleRunner
from corbel.errors import Closed
from corbel.events import Pump
from corbel.redis import Redis


class Bundles:
    """Brings bundles, code in git repositories, keeps them current, and hands them out pinned. Made by ``rt.bundles()``.

        async with rt.bundles("/var/lib/app/bundles") as loader:
            bundle = await loader.load("app", "https://git.example/app.git", "main", follow=30)
            run(bundle.path)                            # stays as it is until bundle.close()
            async for notice in loader:                     # "fetched", "switched", "failed", ...
                if notice.event == "switched": ... loader.pin("app")

    What fails leaves what was current as it was. Several loaders and processes may share a root.
    """

    def __init__(self, pump: Pump, runtime: Handle, options: BundlesOptions, max_notices: int) -> None:
        self._pump = pump
        self._lost = False
        self._mailbox: Mailbox[BundleNotice] = Mailbox(pump.loop, "loader", max_notices or 1024)
        options.to = pump.queue
        options.user = pump.register(self)
        pointer = opened(quick.corbel_bundles_open, runtime.pointer, ctypes.byref(options))
        self._handle = Handle(pointer, quick.corbel_bundles_free)

    async def load(
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
        pump = self._pump
        pump.check()
        status = quick.corbel_bundles_load(self._open(), ctypes.byref(source), pump.call(timeout), pump.ticket_to)
        return Bundle(await pump.handle(pump.expect(status), quick.corbel_bundle_free))

    def pin(self, id: str) -> Bundle:
        """What is current of that id. Invalid for an unknown id, Unavailable while there is nothing. Never waits."""
        return Bundle(opened(quick.corbel_bundles_pin, self._open(), text(id, "id")))

    def look(self, id: str) -> None:
        """Looks for a new commit now, as after a push; notices tell what becomes of it. Never waits. Invalid for an unknown
        id."""
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
        return read_followed(self._open())

    async def ready(self, timeout: Optional[float] = None) -> int:
        """Waits until the followed registry was read, and all that it lists was loaded or has failed: how many have failed.
        Timeout after so many seconds (network_timeout), while the trying goes on."""
        pump = self._pump
        pump.check()
        status = quick.corbel_bundles_ready(self._open(), pump.call(timeout), pump.ticket_to)
        return int(await pump.result(pump.expect(status)))

    async def forget(self, id: str, *, timeout: Optional[float] = None) -> None:
        """Forgets a bundle; its folder is removed as the retention says. Pins stay good."""
        pump = self._pump
        pump.check()
        status = quick.corbel_bundles_forget(self._open(), text(id, "id"), pump.call(timeout), pump.ticket_to)
        await pump.result(pump.expect(status))

    async def prune(self, *, timeout: Optional[float] = None) -> int:
        """Removes what the retention says, in all repositories of the root, and what killed processes have left; loads do it
        for their own repository. Returns how many commits were removed."""
        pump = self._pump
        pump.check()
        status = quick.corbel_bundles_prune(self._open(), pump.call(timeout), pump.ticket_to)
        return int(await pump.result(pump.expect(status)))

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
        return BundleRunner(self._pump, self._open(), runner_options(program, user, environment, max_waiting))

    def status(self) -> Dict[str, BundleStatus]:
        """All bundles by id."""
        return read_status(self._open())

    async def get(self, timeout: Optional[float] = None) -> BundleNotice:
        """The next notice. Raises Timeout after so many seconds, Closed when the loader was closed."""
        return await self._mailbox.get(timeout)

    async def close(self) -> None:
        """Ends what is under way. Pins stay good. Readers get what is there, then their loops end."""
        self._handle.free()
        self._mailbox.close()

    def end(self) -> None:
        """For the pump: nothing more comes."""
        self._mailbox.close()

    def receive(self, kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int) -> None:
        """For the pump."""
        notice = read_notice(kind, status, flags, value, epoch, object, error)
        if notice is None:
            self._mailbox.close()
            return
        if self._lost:
            notice, self._lost = notice._replace(dropped=True), False
        self._lost = self._mailbox.put(notice) is not None

    def _open(self) -> int:
        if not self._handle.pointer:
            raise Closed("the loader was closed")
        return self._handle.pointer

    def __aiter__(self) -> "Bundles":
        return self

    async def __anext__(self) -> BundleNotice:
        try:
            return await self.get()
        except Closed:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> "Bundles":
        return self

    async def __aexit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()
